import { expect, test } from 'vitest'
import { compare, Findings } from './replay'
import type { Alert } from './types'

const alert = (id: string, device: string, opened_at: string) => ({ id, device, rule: 'r', opened_at }) as Alert

test('openings and endings are one alert, and progress is no alert', () => {
  const f = new Findings()
  f.take({ kind: 'opened', at: '2026-01-01T00:00:00Z', alert: alert('a', 'd', '2026-01-01T00:00:00Z') })
  f.take({ until: '2026-01-01T06:00:00Z' })
  f.take({ kind: 'cleared', at: '2026-01-01T07:00:00Z', alert: alert('a', 'd', '2026-01-01T00:00:00Z') })
  f.take({ done: true })
  expect([...f.would.values()].map(w => w.ended)).toEqual(['2026-01-01T07:00:00Z'])
  expect([f.until, f.done]).toEqual(['2026-01-01T06:00:00Z', true])
  expect(() => f.take({ error: 'the database is away' })).toThrow('the database is away')
})

test('what would open stands beside what really opened, each once', () => {
  const would = [{ alert: alert('1', 'd', '2026-01-01T00:00:30Z') }, { alert: alert('2', 'd', '2026-01-01T00:00:40Z') }, { alert: alert('3', 'e', '2026-01-01T00:00:30Z') }]
  const rows = compare(would, [alert('x', 'd', '2026-01-01T00:00:30Z'), alert('y', 'f', '2026-01-02T00:00:00Z')])
  expect(rows.map(r => [r.device, r.would?.alert.id, r.real?.id])).toEqual([['f', undefined, 'y'], ['d', '2', undefined], ['d', '1', 'x'], ['e', '3', undefined]])
})
