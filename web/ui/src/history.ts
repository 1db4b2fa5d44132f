// The history of a field as a chart wants it: means with their peaks, and a gap where nothing was reported.

import { load } from './api'

export interface Point { time: string, value: number | string | boolean | null, min?: number, max?: number, tags?: Record<string, string> }
export interface Readings { device: string, field: string, unit: string, points: Point[] }

/** Line is one series: seconds, and for each the mean (null: a gap) and what lay between. */
export interface Line {
  label: string
  at: number[]
  mean: (number | null)[]
  min: (number | null)[]
  max: (number | null)[]
}

export const spans = { hour1: 3600e3, hours24: 86400e3, days7: 7 * 86400e3, days30: 30 * 86400e3, year: 366 * 86400e3 } as const
export type Span = keyof typeof spans

const widths = [10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400] // s
const buckets = 400

/** width is the narrowest window that divides a span into no more than so many buckets. */
export const width = (ms: number) => widths.find(w => ms / 1000 / w <= buckets) ?? 86400

/** numeric turns any value into what a chart can draw. */
export const numeric = (v: Point['value']): number | null => typeof v === 'number' ? v : typeof v === 'boolean' ? Number(v) : null

/** loadLines asks for mean, lowest and highest of every window, so that a single peak is drawn however long the time is. */
export async function loadLines(device: string, field: string, from: number, to: number, kind: string, signal?: AbortSignal): Promise<{ unit: string, lines: Line[] }> {
  const path = `devices/${encodeURIComponent(device)}/readings`
  const w = width(to - from)
  const ask = (fn: string) => load<Readings>(path, { field, from: Math.floor(from), to: Math.ceil(to), window: w + 's', fn }, signal)
  if (kind === 'counter') {
    const { unit, points } = await ask('increase')
    return { unit, lines: lines(w, points, points, points) }
  }
  if (kind === 'state') {
    const { unit, points } = await ask('last')
    return { unit, lines: lines(w, points, points, points) }
  }
  const [mean, min, max] = await Promise.all([ask('mean'), ask('min'), ask('max')])
  return { unit: mean.unit, lines: lines(w, mean.points, min.points, max.points) }
}

const tagKey = (p: Point) => Object.entries(p.tags ?? {}).map(([k, v]) => `${k} ${v}`).sort().join(' · ')

/** lines splits points by series and puts a gap wherever more than two windows are missing. */
export function lines(w: number, mean: Point[], min: Point[], max: Point[]): Line[] {
  const peaks = (points: Point[]) => new Map(points.map(p => [tagKey(p) + '\n' + p.time, numeric(p.value)]))
  const [lows, highs] = [peaks(min), peaks(max)]
  const out = new Map<string, Line>()
  for (const p of mean) {
    const label = tagKey(p)
    let line = out.get(label)
    if (!line) out.set(label, line = { label, at: [], mean: [], min: [], max: [] })
    const at = Date.parse(p.time) / 1000
    const before = line.at.at(-1)
    if (before !== undefined && at - before > 2.5 * w) push(line, before + w, null, null, null)
    const key = label + '\n' + p.time
    push(line, at, numeric(p.value), lows.get(key) ?? null, highs.get(key) ?? null)
  }
  return [...out.values()]
}

function push(line: Line, at: number, mean: number | null, min: number | null, max: number | null) {
  line.at.push(at)
  line.mean.push(mean)
  line.min.push(min)
  line.max.push(max)
}
