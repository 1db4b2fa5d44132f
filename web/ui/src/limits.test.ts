import { beforeEach, expect, test } from 'vitest'
import { types } from './catalogue'
import { allLimits, limits, type Judging } from './limits'
import type { Rule } from './rule'
import { state } from './state'
import { i18n } from './texts'

const judging = (params: Record<string, string>, more: Partial<Rule> = {}, attributes?: Record<string, number>): Judging => ({
  rule: { id: 'r', name: {}, kind: 'threshold', severity: 'high', category: 'waste', types: ['ws'], origin: 'type', where: '', basis: 'judgement', params: {}, settable: [], ...more },
  params, severity: 'high', type: 'ws', attributes,
})

beforeEach(() => {
  state.language = i18n.global.locale.value = 'zh'
  types.set('ws', {
    id: 'ws', name: { zh: '站' }, events: [], attributes: [{ id: 'most', name: { zh: '上限' } }],
    fields: [{ id: 'fill', name: { zh: '满溢率' }, unit: '%', type: 'float', kind: 'gauge' }, { id: 'volume', name: { zh: '用水量' }, unit: 'm3', type: 'float', kind: 'counter' }],
  })
})

test('a threshold and the number of its end are lines', () => {
  const j = judging({ fields: 'fill', when: 'value >= 95.0 && volume > 3.0', clear: 'value < 80.0' })
  expect(limits(j, 'fill')).toEqual([{ value: 95, tone: 'high', text: '严重：满溢率 ≥ 95%' }, { value: 80, tone: 'good', text: '恢复条件：满溢率 < 80%' }])
  expect(limits(judging({ fields: 'fill', when: 'value > 95.0', clear: 'value <= 95.0' }), 'fill').map(l => l.value)).toEqual([95])
  expect(limits(j, 'volume')).toEqual([])
})

test('every level has its line, the worst first', () => {
  const j = judging({ fields: 'fill', warn: 'low', 'warn when': 'value > 60.0', crit: 'critical', 'crit when': 'value > 90.0', 'crit clear': 'value < 85.0' })
  expect(limits(j, 'fill').map(l => [l.value, l.tone])).toEqual([[90, 'critical'], [85, 'good'], [60, 'low']])
})

test('only the field itself is drawn, not what it has grown by, a sum or a score', () => {
  const signals = [{ name: 'used', field: 'volume', fn: 'increase', window: '12h' }, { name: 'level', field: 'fill', fn: 'mean', window: '5m' }, { name: 'other', field: 'fill', type: 'ws', same: 'building' }]
  expect(limits(judging({ when: 'used < 0.5 && level < -5.0 && other > 7.0' }, { signals }), 'fill').map(l => l.value)).toEqual([-5])
  expect(limits(judging({ when: 'used < 0.5' }, { signals }), 'volume')).toEqual([])
  for (const when of ['other - level > 3.0', 'level > 3.0 * used', '(level <= 8.0 ? 3 : 0) >= 5', 'level > 1.5 + used']) expect(limits(judging({ when }, { signals }), 'fill'), when).toEqual([])
  for (const kind of ['window', 'rate']) expect(limits(judging({ fields: 'fill', when: 'value > 1.0' }, { kind }), 'fill')).toEqual([])
})

test('a part of an attribute is a number where the device has it', () => {
  const params = { fields: 'fill', when: 'value > 0.5 * attr.most' }
  expect(limits(judging(params, {}, { most: 80 }), 'fill').map(l => l.value)).toEqual([40])
  expect(limits(judging(params), 'fill')).toEqual([])
})

test('the same line of two rules is one', () => {
  const j = judging({ fields: 'fill', when: 'value > 95.0' })
  expect(allLimits([j, j, judging({ fields: 'fill', when: 'value > 99.0' })], 'fill').map(l => l.value)).toEqual([95, 99])
})
