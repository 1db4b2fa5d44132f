import { expect, test } from 'vitest'
import { mood, type View } from './state'

const now = Date.parse('2026-01-01T12:00:00Z')
const view = (more: Partial<View>, alert: Partial<View['alert']> = {}): View => ({
  me: 'a', person: 'b', told: [], consent: [], away: false, circle: [], views: [], ...more,
  alert: { id: 'x', name: {}, text: {}, state: 'closed', opened_at: '', ...alert },
})

test('the most pressing thing comes first', () => {
  expect(mood(view({ away: true }, { state: 'opened' }), now)).toBe('alarm')
  expect(mood(view({}, { state: 'acknowledged', by: 'c' }), now)).toBe('taken')
  expect(mood(view({ away: true }), now)).toBe('away')
  expect(mood(view({ active: '2026-01-01T11:57:00Z' }), now)).toBe('fine')
  expect(mood(view({ active: '2025-12-31T23:00:00Z' }), now)).toBe('quiet')
})

test('without consent nothing is said to be fine', () => {
  expect(mood(view({}), now)).toBe('unknown')
  expect(mood(view({ person: undefined }), now)).toBe('over')
})
