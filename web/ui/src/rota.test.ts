import { expect, test } from 'vitest'
import { dayAfter, dutyDay, firstDay, moment, pieces, today } from './rota'

test('shifts are cut at midnight of the community', () => {
  const shifts = [
    { from: '2026-03-01T20:00:00+08:00', to: '2026-03-02T08:00:00+08:00', people: ['a'] }, { from: '2026-03-02T08:00:00+08:00', to: '2026-03-02T20:00:00+08:00', people: [] },
    { from: '2026-03-02T20:00:00+08:00', to: '2026-03-04T08:00:00+08:00', people: ['b'] },
  ]
  const said = (day: string) => pieces(day, shifts).map(p => `${p.from}-${p.to} ${p.people.join()}`)
  expect(said('2026-03-02')).toEqual(['00:00-08:00 a', '08:00-20:00 ', '20:00-24:00 b'])
  expect(said('2026-03-03')).toEqual(['00:00-24:00 b'])
  expect(said('2026-03-05')).toEqual([])
})

test('days and moments are those of the community', () => {
  expect(moment('2026-03-01', 'Asia/Shanghai')).toBe('2026-03-01T00:00:00+08:00')
  expect(moment('2026-07-01T08:30', 'Europe/Berlin')).toBe('2026-07-01T08:30:00+02:00')
  expect(today('Asia/Shanghai', Date.parse('2026-02-28T20:00Z'))).toBe('2026-03-01')
  expect(dutyDay('Asia/Shanghai', Date.parse('2026-02-28T23:59Z'))).toBe('2026-02-28')
  expect(dutyDay('Asia/Shanghai', Date.parse('2026-03-01T00:00Z'))).toBe('2026-03-01')
  expect(dayAfter('2026-02-28', 1)).toBe('2026-03-01')
  expect([firstDay('2026-03-05', false), firstDay('2026-03-31', true)]).toEqual(['2026-03-02', '2026-02-23'])
})
