// The last values of all devices of a type, and what is made of them.

import { load } from './api'
import { tagText } from './catalogue'
import type { SceneColumn, SceneFigure } from './scenes/scene'
import type { Device } from './types'

export interface DeviceValue { device: string, field: string, time: string, value: number | string | boolean, tags?: Record<string, string> }
export interface Values { devices: Device[], values: DeviceValue[], more: boolean }

export const loadValues = (community: string, type: string, fields: string[], signal?: AbortSignal) => load<Values>('values', { community, type, fields: fields.join(',') }, signal)

/** Row is one series of a device: its last value of every field. */
export interface Row { key: string, device: Device, tags: string, values: Record<string, DeviceValue>, bad: boolean }

/** rows puts the values of each series beside each other, those to be looked at first. */
export function rows(all: Values, columns: SceneColumn[]): Row[] {
  const devices = new Map(all.devices.map(d => [d.id, d]))
  const found = new Map<string, Row>()
  for (const v of all.values) {
    const device = devices.get(v.device)
    if (!device) continue
    const tags = tagText(device.type, v.tags)
    const key = v.device + '\n' + tags
    const row = found.get(key) ?? { key, device, tags, values: {}, bad: false }
    row.values[v.field] = v
    found.set(key, row)
  }
  const out = [...found.values()]
  for (const row of out) row.bad = columns.some(c => row.values[c.field] && bad(c, row.values[c.field]!.value))
  const { field: first, low, high } = columns[0]!
  const sign = low !== undefined && high === undefined ? -1 : 1 // what must not be low has its least first
  const size = (r: Row) => { const v = r.values[first]?.value; return typeof v === 'number' ? sign * v : -Infinity }
  return out.sort((a, b) => Number(b.bad) - Number(a.bad) || size(b) - size(a) || a.key.localeCompare(b.key))
}

/** bad reports whether a value is to be looked at. */
export function bad(c: SceneColumn, v: number | string | boolean): boolean {
  if (typeof v === 'number' && (c.high !== undefined && v >= c.high || c.low !== undefined && v < c.low)) return true
  return c.bad?.(v) ?? false
}

/** calculate is a figure of last values: a number and of how many, or nothing where nothing is reported. */
export function calculate(f: SceneFigure, values: DeviceValue[]): { value: number, of: number } | undefined {
  const mine = values.filter(v => v.field === f.field)
  if (!mine.length) return undefined
  if (f.fn === 'count') return { value: mine.filter(v => f.is?.(v.value)).length, of: mine.length }
  const numbers = mine.map(v => v.value).filter((v): v is number => typeof v === 'number')
  if (!numbers.length) return undefined
  const sum = numbers.reduce((a, b) => a + b, 0)
  const value = { sum, mean: sum / numbers.length, max: Math.max(...numbers), min: Math.min(...numbers) }[f.fn]
  return { value, of: numbers.length }
}
