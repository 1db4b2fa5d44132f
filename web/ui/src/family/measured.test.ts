import { expect, test } from 'vitest'
import { far, shown, side, whereabouts, type Vital } from './measured'
import { language } from './words'

test('a distance is said as people say it', () => {
  language.value = 'zh'
  expect([4.2, 864, 999, 1408, 23_400].map(far)).toEqual(['4 米', '860 米', '1000 米', '1.4 公里', '23 公里'])
  expect([0, 22, 23, 90, 218, 338, 359].map(side)).toEqual(['北', '北', '东北', '东', '西南', '北', '北'])
})

test('a position is one sentence', () => {
  language.value = 'en'
  const p = { time: '', bearing_deg: 90, distance_m: 864, radius_m: 150 }
  expect(whereabouts({ ...p, home: 'outside' })).toBe('Not at home: about 860 m east of home.')
  expect(whereabouts({ ...p, home: 'inside' })).toBe('Near home.')
  expect(whereabouts()).toBe('No position in the last week.')
})

test('a blood pressure is one value', () => {
  const v = (field: string, value: number): Vital => ({ field, name: {}, unit: 'u', time: 't', value, old: false })
  expect(shown([v('heart_rate_bpm', 71.6), v('sbp_mmhg', 128), v('dbp_mmhg', 79), v('body_temp_c', 36.52)]).map(x => x.key + ' ' + x.value)).toEqual(['heart_rate_bpm 72', 'pressure 128/79', 'body_temp_c 36.5'])
})
