// A consent as people say it: with its first and its last day.
import { day } from './format'
import { state } from './state'
import { t, word } from './texts'
import type { Consent } from './types'

const pad = (n: number) => String(n).padStart(2, '0')

/** lastDay is the last day, YYYY-MM-DD here, of what ends at a moment. */
export function lastDay(until: string): string {
  const d = new Date(Date.parse(until) - 1)
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`
}

/** endOf is the moment at which a day, YYYY-MM-DD here, is over. */
export function endOf(date: string): string {
  const [year, month, of] = date.split('-').map(Number)
  return new Date(year!, month! - 1, of! + 1).toISOString()
}

/** sayConsent is the scope, and when that is over. */
export function sayConsent(c: Consent): string {
  if (!c.until) return word('scope', c.scope)
  return t(Date.parse(c.until) > state.now ? 'people.agreedUntil' : 'people.agreedNoLonger', { scope: word('scope', c.scope), date: day(Date.parse(c.until) - 1) })
}
