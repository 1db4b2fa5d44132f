import { beforeEach, expect, test } from 'vitest'
import { types, type DeviceType } from './catalogue'
import { lasting, limit, paramName, sayCondition, sayParam, sayRule, withLimit, type Rule } from './rule'
import { state } from './state'
import { i18n } from './texts'

const station: DeviceType = {
  id: 'ws', name: { zh: '垃圾站', en: 'Waste station' }, attributes: [{ id: 'max', name: { zh: '最大载重', en: 'Most load' }, unit: 'kg' }],
  fields: [
    { id: 'fill', name: { zh: '满溢率', en: 'Fill level' }, unit: '%', type: 'float', kind: 'gauge' }, { id: 'door', name: { zh: '门', en: 'Door' }, type: 'enum', kind: 'state' },
    { id: 'volume', name: { zh: '用水量', en: 'Water' }, unit: 'm3', type: 'float', kind: 'counter' },
  ],
  events: [{ id: 'sos', name: { zh: '求救', en: 'SOS' } }], enums: { door: { open: { zh: '打开', en: 'Wide open' }, shut: { zh: '关闭', en: 'shut' }, nc: { zh: '常闭', en: 'NC contact' } } },
}
const rule = (params: Record<string, string>, more: Partial<Rule> = {}): Rule => ({
  id: 'r', name: {}, kind: 'threshold', severity: 'high', category: 'waste', types: ['ws'], origin: 'type', where: '', basis: 'judgement', params, settable: [], ...more,
})
function speak(language: 'zh' | 'en') {
  state.language = language
  i18n.global.locale.value = language
}

beforeEach(() => {
  types.set('ws', station)
  speak('zh')
})

test('a threshold is said with the name, the unit and the time', () => {
  const r = rule({ fields: 'fill', when: 'value >= 95.0', clear: 'value < 80.0', for: '10m' })
  expect(sayRule(r)).toBe('满溢率 ≥ 95%，持续 10分钟；满溢率 < 80% 时恢复')
  speak('en')
  expect(sayRule(r)).toBe('Fill level ≥ 95% for 10 min; clears when Fill level < 80%')
})

test('levels are said from the worst on', () => {
  const r = rule({ fields: 'fill', warn: 'medium', 'warn when': 'value > 80.0', 'warn for': '10m', crit: 'critical', 'crit when': 'value > 95.0', 'crit clear': 'value < 90.0' })
  expect(sayRule(r)).toBe('危急：满溢率 > 95%、中等：满溢率 > 80%，持续 10分钟')
  expect([paramName('crit clear'), sayParam(r, 'crit clear', 'value < 90.0'), paramName('crit'), sayParam(r, 'crit', 'critical')]).toEqual(['crit · 恢复条件', '满溢率 < 90%', 'crit', '危急'])
})

test('conditions name attributes, words of enums, signals and people', () => {
  const r = rule({ fields: 'door' }, { signals: [{ name: 'used', field: 'volume', fn: 'increase', window: '12h' }, { name: 'level', field: 'fill' }] })
  expect(sayCondition('value in ["open", "shut"]', r)).toBe('门 为 打开 / 关闭')
  expect(sayCondition('level > 0.95 * attr.max', r)).toBe('满溢率 > 0.95 × 最大载重')
  expect(sayCondition('used < 0.01 && !person.away', r)).toBe('12小时内 用水量 的增量 < 0.01 m³ 且 本人在家')
  expect(sayCondition('abs(level - 5.0) < 2.0 && !(mystery == "")', r)).toBe('|满溢率 − 5| < 2% 且 非 (mystery 为 未登记)')
  expect(sayCondition('(level <= 8.0 ? 3 : 0) + (used > 1.0 ? 1 : 0) >= 5', r)).toBe('按满溢率、12小时内 用水量 的增量综合评分 ≥ 5')
  expect(sayCondition('level < -5.0 || mystery == 1', r)).toBe('满溢率 < −5% 或 mystery 为 1')
})

test('words of enums begin small within a sentence, but for capitals', () => {
  speak('en')
  expect(sayCondition('value in ["open", "shut", "nc"]', rule({ fields: 'door' }))).toBe('Door is wide open / shut / NC contact')
})

test('kinds without a condition are said too', () => {
  expect(sayRule(rule({ events: 'sos' }, { kind: 'event' }))).toBe('收到事件「求救」')
  expect(sayRule(rule({ events: 'sos', count: '3', window: '1d' }, { kind: 'count' }))).toBe('1天内发生 3 次「求救」')
  expect(sayRule(rule({ window: '20m' }, { kind: 'absence' }))).toBe('20分钟内没有收到任何数据')
  expect(sayRule(rule({ first: 'sos', without: 'sos', within: '30s' }, { kind: 'sequence' }))).toBe('「求救」之后 30秒内没有「求救」')
})

test('a single number can be another', () => {
  const r = rule({ fields: 'fill', when: 'value >= 95.0' })
  expect(limit(r.params.when, r)).toEqual({ value: 95, label: '满溢率 ≥', unit: '%' })
  expect(limit('value < 1.0 || value > 2.0', r)).toBeUndefined()
  expect(withLimit('value >= 95.0', 30)).toBe('value >= 30.0')
  expect(withLimit('value < 0.5', -0.25)).toBe('value < -0.25')
})

test('durations of files are read', () => {
  expect([lasting('1h30m'), lasting('90s'), lasting('2d'), lasting('3 periods')]).toEqual(['1小时30分', '1分钟', '2天', '3 periods'])
})
