import { expect, test } from 'vitest'
import { mood, pressing, type Alert, type View } from './state'

const now = Date.parse('2026-01-01T12:00:00Z')
const alert = (more: Partial<Alert> = {}): Alert => ({ id: 'x', name: {}, text: {}, state: 'opened', safety: true, opened_at: '', mine: false, told: [], ...more })
const view = (more: Partial<View>): View => ({ now: '', me: 'a', person: 'b', shared: ['wellbeing'], away: false, alerts: [], circle: [], desk: [], ...more })

test('the most pressing thing comes first', () => {
  expect(mood(view({ away: true, alerts: [alert()] }), now)).toBe('alarm')
  expect(mood(view({ alerts: [alert({ safety: false })] }), now)).toBe('notice')
  expect(mood(view({ alerts: [alert({ state: 'acknowledged', by: 'c' })] }), now)).toBe('taken')
  expect(mood(view({ alerts: [alert({ by: 'a', mine: true })] }), now)).toBe('mine')
  expect(mood(view({ away: true, alerts: [alert({ state: 'closed' })] }), now)).toBe('away')
  expect(mood(view({ active: '2026-01-01T11:57:00Z' }), now)).toBe('fine')
  expect(mood(view({ active: '2025-12-31T23:00:00Z' }), now)).toBe('quiet')
  expect(mood(view({}), now)).toBe('unknown')
})

test('an alert that nobody looks after comes before one that somebody does', () => {
  expect(pressing(view({ alerts: [alert({ id: '1', by: 'c' }), alert({ id: '2' })] }))?.id).toBe('2')
  expect(mood(view({ alerts: [alert({ by: 'c' }), alert()] }), now)).toBe('alarm')
})

test('without consent nothing is said to be fine', () => {
  expect(mood(view({ shared: ['events'], active: '2026-01-01T11:57:00Z' }), now)).toBe('calm')
  expect(mood(view({ person: undefined }), now)).toBe('over')
})
