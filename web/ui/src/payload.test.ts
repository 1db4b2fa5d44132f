import { beforeEach, expect, test } from 'vitest'
import { types } from './catalogue'
import { sayPayload } from './payload'
import { state } from './state'

beforeEach(() => {
  state.language = 'zh'
  types.set('station', {
    id: 'station', name: { zh: '驿站' }, tags: [{ id: 'inlet', name: { zh: '投放口' } }, { id: 'door', name: { zh: '门' }, names: { main: { zh: '主门' } } }],
    fields: [{ id: 'delay_s', name: { zh: '晚点时间' }, unit: 's', type: 'float', kind: 'gauge' }],
    events: [{ id: 'delivery', name: { zh: '投放' }, fields: [{ id: 'net_weight_kg', unit: 'kg' }, { id: 'duration_s', unit: 's' }] }],
    enums: { waste_kind: { kitchen: { zh: '厨余垃圾' } } },
  })
})

test('an event says what people read, and not what programs do', () => {
  const said = sayPayload('station', 'delivery', {
    waste_kind: 'kitchen', net_weight_kg: 0.6153, duration_s: 420, contamination: false, inlet: '2', door: 'main', delay_s: 30, code: 'out_of_range', seq: 5388, boot: 1795625807, received_at: 1, session_id: 'x',
  })
  expect(said.map(f => f.name + ' ' + f.value)).toEqual([
    '垃圾种类 厨余垃圾', '净重 0.615 kg', '时长 7 分钟', '混有杂质 否', '投放口 2', '门 主门', '晚点时间 30 秒', '代码 超出量程',
  ])
})
