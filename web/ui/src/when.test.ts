import { expect, test } from 'vitest'
import { read, shown } from './when'

test('dates and times are read as people type them, and shown in one way', () => {
  for (const typed of ['2026-01-05', '2026-1-5', '2026/1/5', '2026.01.05', '20260105', '2026年1月5日', ' ２０２６－０１－０５ ']) expect(read(typed, 'date'), typed).toBe('2026-01-05')
  for (const typed of ['09:05', '9:05', '0905', '905', '９：０５', '9点05分', '9.05']) expect(read(typed, 'time'), typed).toBe('09:05')
  for (const typed of ['2026-01-05 22:00', '2026-1-5T22:00', '2026/1/5  2200', '2026年1月5日 22:00', '2026年 1月 5日 22:00']) expect(read(typed, 'moment'), typed).toBe('2026-01-05T22:00')
  expect(shown('2026-01-05T22:00:30')).toBe('2026-01-05 22:00')
  expect(read('', 'moment')).toBe('')
})

test('what is no date or no time is not made one', () => {
  for (const typed of ['2026-02-30', '2026-13-01', '05/01/2026', '5 Jan 2026', '2026', '明天', '2026-01-05 22:00']) expect(read(typed, 'date'), typed).toBeUndefined()
  for (const typed of ['24:00', '9:60', '9', '9pm', '22:00:00']) expect(read(typed, 'time'), typed).toBeUndefined()
  for (const typed of ['2026-01-05', '22:00', '2026-02-30 22:00', '2026-01-05 25:00']) expect(read(typed, 'moment'), typed).toBeUndefined()
})
