import { beforeEach, expect, test } from 'vitest'
import { alertWhere, quantity, span, spread, valueText, where } from './format'
import { state } from './state'
import type { Alert } from './types'

beforeEach(() => { state.language = 'zh'; state.community = ''; state.communities = [{ id: 'c', name: { zh: '花园', en: 'Garden' }, estates: [{ id: 'e1', name: { zh: '一区', en: 'Estate 1' } }] }] })

test('places are read from the large to the small', () => {
  const place = { estate: 'e1', building: 'b07', unit: 'u2' }
  expect(where(place, 'c')).toBe('花园\u00a0· 一区\u00a0· 7栋\u00a0· 2单元')
  state.language = 'en'
  state.community = 'c'
  expect(where(place, 'c')).toBe('Estate 1\u00a0· Bldg 7\u00a0· Unit 2')
})

test('a row of an alert says where, and not its name again', () => {
  const a = { community: 'c', name: { zh: '求救', en: 'SOS' }, text: { zh: '花园 7栋 手环：求救（心率 120）', en: 'SOS at Garden, Bldg 7, band (Heart rate 120)' } } as Alert
  expect(alertWhere(a)).toBe('花园 7栋 手环（心率 120）')
  state.community = 'c'
  expect(alertWhere(a)).toBe('7栋 手环（心率 120）')
  state.language = 'en'
  expect(alertWhere(a)).toBe('Bldg 7, band (Heart rate 120)')
  expect(alertWhere({ ...a, text: { zh: '', en: 'Two people have no contact' } })).toBe('Two people have no contact')
  state.language = 'zh'
  expect(alertWhere({ ...a, name: {}, text: { zh: '电表：读数没有变化' } } as Alert)).toBe('电表：读数没有变化')
})

test('spans have their two largest units', () => {
  for (const [ms, text] of [[0, '0秒'], [59_000, '59秒'], [60_000, '1分钟'], [3_660_000, '1小时1分'], [90_000_000, '1天1小时']] as const) expect(span(ms)).toBe(text)
})

test('units are written as people read them', () => {
  expect(quantity(21.55, 'Cel')).toBe('21.6 °C')
  expect(quantity(5.236, 'Cel')).toBe('5.2 °C')
  expect(quantity(12_500, 'W')).toBe('12.5 kW')
  expect(quantity(90, 's')).toBe('90 秒')
  expect(quantity(420, 's')).toBe('7 分钟')
  expect(quantity(28_380, 's')).toBe('7.9 小时')
  expect(quantity(0.958, '{CNY}')).toBe('0.96 元')
  expect(quantity(10, '%{LEL}')).toBe('10 % LEL')
  expect(quantity(71.6, '{beats}/min')).toBe('72 次/分')
  expect(quantity(15.5, '{breaths}/min')).toBe('16 次/分')
  state.language = 'en'
  expect(quantity(420, 's')).toBe('7 min')
  state.language = 'zh'
  expect(quantity(3, '{deliveries}')).toBe('3')
  expect(valueText('open', '', { open: { zh: '打开' } })).toBe('打开')
  expect(valueText(true)).toBe('是')
})

test('a mean and what it is of are written in one unit', () => {
  expect(spread(28_380, 7000, 30_000, 's')).toBe('7.9 小时 (1.94–8.33)')
  expect(spread(900, 800, 1200, 'W')).toBe('900 W (800–1,200)')
  expect(spread(21.55, 21.4, 21.75, 'Cel')).toBe('21.6 °C (21.4–21.8)')
})
