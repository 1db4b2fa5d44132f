import { expect, test } from 'vitest'
import { endOf, lastDay } from './consent'

test('a consent lasts to the end of its last day', () => {
  for (const day of ['2026-02-28', '2026-12-31', '2028-02-29']) {
    expect(lastDay(endOf(day))).toBe(day)
    expect(new Date(endOf(day)).getHours()).toBe(0)
  }
  const noon = new Date(2026, 2, 1, 12)
  expect(lastDay(noon.toISOString())).toBe('2026-03-01')
})
