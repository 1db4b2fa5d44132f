// What the family page says in one sentence, and when it is no longer fine.

import type { Text } from '../types'

export interface Told { name?: string, kind: 'family' | 'staff', at: string, answer?: 'going' | 'cannot', answered_at?: string }
export interface Alert {
  id: string
  name: Text
  text: Text
  state: string
  safety: boolean
  opened_at: string
  by?: string
  mine: boolean
  script?: Text
  told: Told[]
}
export interface Member { id: string, name: string, relation: string, me: boolean }
export interface View {
  now: string
  me: string
  person?: string
  calls?: string
  phone?: string
  shared: string[]
  away: boolean
  away_until?: string
  active?: string
  all_is_well?: string
  alerts: Alert[]
  circle: Member[]
  desk: { name: string, phone: string }[]
}

export type Mood = 'alarm' | 'notice' | 'taken' | 'mine' | 'away' | 'quiet' | 'fine' | 'unknown' | 'calm' | 'over'

const quietAfter = 12 * 3600e3 // ms

export const isOpen = (a: Alert) => a.state === 'opened' || a.state === 'acknowledged'

/** pressing is the open alert to be looked after first: one that nobody does before one that somebody does. The server has life-safety first. */
export function pressing(v: View): Alert | undefined {
  const open = v.alerts.filter(isOpen)
  return open.find(a => !a.by) ?? open[0]
}

/** mood is the most pressing thing that is true. What is not shared is never said to be fine. */
export function mood(v: View, now: number): Mood {
  const alert = pressing(v)
  if (alert) return !alert.by ? alert.safety ? 'alarm' : 'notice' : alert.mine ? 'mine' : 'taken'
  if (!v.person) return 'over'
  if (!v.shared.includes('wellbeing')) return 'calm'
  if (v.away) return 'away'
  if (!v.active) return 'unknown'
  return now - Date.parse(v.active) > quietAfter ? 'quiet' : 'fine'
}
