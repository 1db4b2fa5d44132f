// What the family page says in one sentence, and when it is no longer fine.

import type { Text } from '../types'

export interface View {
  me: string
  person?: string
  alert: { id: string, name: Text, text: Text, state: string, opened_at: string, by?: string, by_at?: string, instructions?: Text }
  told: { name: string, at: string }[]
  consent: string[]
  away: boolean
  away_until?: string
  active?: string
  all_is_well?: string
  circle: { name: string, relation: string }[]
  views: { at: string, by: string }[]
}

export type Mood = 'alarm' | 'taken' | 'away' | 'quiet' | 'fine' | 'unknown' | 'over'

const quietAfter = 12 * 3600e3 // ms

/** mood is the most pressing thing that is true. */
export function mood(v: View, now: number): Mood {
  const open = v.alert.state === 'opened' || v.alert.state === 'acknowledged'
  if (open) return v.alert.by ? 'taken' : 'alarm'
  if (!v.person) return 'over'
  if (v.away) return 'away'
  if (!v.active) return 'unknown'
  return now - Date.parse(v.active) > quietAfter ? 'quiet' : 'fine'
}
