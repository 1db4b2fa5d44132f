// A consent as people say it: with its first and its last day.
import { day } from './format'
import { state } from './state'
import { t, word } from './texts'
import type { Consent } from './types'

const pad = (n: number) => String(n).padStart(2, '0')

/** dayOf is the day, YYYY-MM-DD here, of a moment. */
export function dayOf(moment: string | number): string {
  const d = new Date(moment)
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`
}

/** lastDay is the last day of what ends at a moment. */
export const lastDay = (until: string) => dayOf(Date.parse(until) - 1)

/** startOf is the moment at which a day, YYYY-MM-DD here, begins. */
export const startOf = (date: string) => midnight(date, 0)

/** endOf is the moment at which a day, YYYY-MM-DD here, is over. */
export const endOf = (date: string) => midnight(date, 1)

function midnight(date: string, later: number): string {
  const [year, month, of] = date.split('-').map(Number)
  return new Date(year!, month! - 1, of! + later).toISOString()
}

/** sayConsent is the scope, and when that is over. */
export function sayConsent(c: Consent): string {
  if (!c.until) return word('scope', c.scope)
  return t(Date.parse(c.until) > state.now ? 'people.agreedUntil' : 'people.agreedNoLonger', { scope: word('scope', c.scope), date: day(Date.parse(c.until) - 1) })
}
