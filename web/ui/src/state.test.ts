import { beforeEach, expect, test } from 'vitest'
import { alerts, compare, merge, newest, openAlerts, state } from './state'
import type { Alert } from './types'

const alert = (id: string, more: Partial<Alert> = {}): Alert => ({
  id, rule: 'r', kind: 'event', name: {}, text: {}, severity: 'low', category: 'device', state: 'opened', safety: false, latched: false, community: 'c', device: 'd',
  type: 't', identity: '', opened_at: '2026-01-01T00:00:00Z', event_time: '', last_event: '', received_at: '', count: 1, events: 1, ...more,
})

beforeEach(() => { alerts.clear(); state.community = '' })

test('what is new is told once', () => {
  expect(merge([alert('a')]).map(a => a.id)).toEqual(['a'])
  expect(merge([alert('a')])).toEqual([])
  expect(merge([alert('a', { events: 2, count: 2 })])).toEqual([])
  expect(alerts.get('a')!.count).toBe(2)
})

test('what becomes more severe is told again, what becomes less severe is not', () => {
  merge([alert('a', { severity: 'medium' })])
  expect(merge([alert('a', { events: 2, severity: 'critical' })]).map(a => a.id)).toEqual(['a'])
  expect(merge([alert('a', { events: 3, severity: 'medium' })])).toEqual([])
})

test('a late answer does not take back what the stream has said', () => {
  merge([alert('a', { events: 3, state: 'closed' })])
  merge([alert('a', { events: 2, state: 'acknowledged' })])
  expect(alerts.get('a')!.state).toBe('closed')
  expect(openAlerts.value).toEqual([])
})

test('a snapshot ends what it does not name, and keeps what was closed before', () => {
  merge([alert('a'), alert('b'), alert('c', { state: 'closed' })])
  merge([alert('b')], true)
  expect([...alerts.keys()].sort()).toEqual(['b', 'c'])
})

test('closed alerts are forgotten, the oldest first', () => {
  merge(Array.from({ length: 700 }, (_, i) => alert('x' + i, { state: 'closed' })))
  expect(alerts.size).toBe(500)
  expect(alerts.has('x0')).toBe(false)
  expect(alerts.has('x699')).toBe(true)
})

test('the severe come first, then what nobody looks after, then the oldest', () => {
  const all = [
    alert('late', { severity: 'critical', opened_at: '2026-01-02T00:00:00Z' }), alert('minor', { severity: 'medium' }),
    alert('taken', { severity: 'critical', acknowledged_at: '2026-01-01T01:00:00Z' }), alert('early', { severity: 'critical' }),
  ]
  expect(all.sort(compare).map(a => a.id)).toEqual(['early', 'late', 'taken', 'minor'])
})

test('one community is shown, the others are counted', () => {
  merge([alert('a', { community: 'x' }), alert('b', { community: 'y' })])
  state.community = 'x'
  expect(openAlerts.value.map(a => a.id)).toEqual(['a'])
})

test('what came last is found below a long list, the severe first', () => {
  const all = [
    alert('old', { severity: 'critical' }), alert('new', { severity: 'critical', opened_at: '2026-01-03T00:00:00Z' }),
    alert('taken', { severity: 'critical', acknowledged_at: 'x', opened_at: '2026-01-04T00:00:00Z' }), alert('minor', { opened_at: '2026-01-05T00:00:00Z' }),
  ]
  expect(newest(all, 2).map(a => a.id)).toEqual(['new', 'old'])
  expect(newest(all, 9).map(a => a.id)).toEqual(['new', 'old', 'minor'])
})
