import { expect, test, vi } from 'vitest'
import { dayOf, endOf, lastDay, startOf } from './consent'

test('a consent lasts from the start of its first day to the end of its last', () => {
  for (const zone of ['Asia/Shanghai', 'UTC', 'America/New_York']) {
    vi.stubEnv('TZ', zone)
    for (const day of ['2026-02-28', '2026-12-31', '2028-02-29']) {
      expect(dayOf(startOf(day)), zone).toBe(day)
      expect(lastDay(endOf(day)), zone).toBe(day)
      expect([startOf(day), endOf(day)].map(t => new Date(t).getHours()), zone).toEqual([0, 0])
    }
    const noon = new Date(2026, 2, 1, 12)
    expect(lastDay(noon.toISOString()), zone).toBe('2026-03-01')
  }
  vi.unstubAllEnvs()
})

test('the day is that of here, also while it is still the day before in UTC', () => {
  vi.stubEnv('TZ', 'Asia/Shanghai')
  expect(dayOf('2026-02-28T17:00:00Z')).toBe('2026-03-01')
  expect(startOf('2026-03-01')).toBe('2026-02-28T16:00:00.000Z')
  vi.unstubAllEnvs()
})
