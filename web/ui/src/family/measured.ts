// What the devices of an elder say, and how it is said in words.

import type { Text } from '../types'
import { more } from './more'
import { fill } from './words'

export interface Vital { field: string, name: Text, unit: string, time: string, value: number, old: boolean }
export interface Position { time: string, accuracy_m?: number, home: 'inside' | 'outside' | 'unknown', distance_m?: number, bearing_deg: number, radius_m?: number }
export interface Measured { vitals: Vital[], worn?: { state: string, time: string }, place?: Position }

/** far is a distance as one says it: 860 m, 1.4 km. */
export function far(m: number): string {
  if (m < 1000) return fill(more.value.metres, { n: m < 100 ? Math.round(m) : Math.round(m / 10) * 10 })
  return fill(more.value.kilometres, { n: m < 10_000 ? (m / 1000).toFixed(1) : Math.round(m / 1000) })
}

export const side = (bearing: number) => more.value.sides[Math.round(bearing / 45) % 8] ?? ''

/** whereabouts is a position in one sentence. */
export function whereabouts(p?: Position): string {
  if (!p) return more.value.noPlace
  if (p.home === 'unknown') return more.value.unplaced
  return p.home === 'inside' ? more.value.inside : fill(more.value.outside, { side: side(p.bearing_deg), distance: far(p.distance_m ?? 0) })
}

export interface Shown { key: string, value: string, unit: string, time: string, old: boolean }

const exact = (v: Vital) => v.field === 'body_temp_c' ? v.value.toFixed(1) : String(Math.round(v.value))

/** shown are vitals as they are read: the two values of a blood pressure are one. */
export function shown(all: Vital[]): Shown[] {
  const low = all.find(v => v.field === 'dbp_mmhg')
  return all.filter(v => v.field !== 'dbp_mmhg').map(v => v.field === 'sbp_mmhg'
    ? { key: 'pressure', value: exact(v) + (low ? '/' + exact(low) : ''), unit: v.unit, time: v.time, old: v.old }
    : { key: v.field, value: exact(v), unit: v.unit, time: v.time, old: v.old })
}
