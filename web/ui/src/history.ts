// The history of a field as a chart wants it: means with their peaks, and a gap where nothing was reported.

import { load } from './api'
import { tagText } from './catalogue'

type Cell = number | string | boolean | null

interface ChartAnswer {
  unit: string
  fn: string
  window_s: number
  series: { tags: Record<string, string>, time: number[], value: Cell[], min?: Cell[], max?: Cell[], late?: number[] }[]
}

/** Line is one series: seconds, and for each the mean (null: a gap) and what lay between. */
export interface Line {
  label: string
  at: number[]
  mean: (number | null)[]
  min: (number | null)[]
  max: (number | null)[]
  late: number[] // the seconds of at whose values came long after
}

export const spans = { hour1: 3600e3, hours24: 86400e3, days7: 7 * 86400e3, days30: 30 * 86400e3, year: 366 * 86400e3 } as const
export type Span = keyof typeof spans

const most = 500 // points of a line: more than a screen shows

/** loadLines asks for a field; the server says where the gaps are, and no peak is lost however long the time is. */
export async function loadLines(device: string, type: string, field: string, from: number, to: number, signal?: AbortSignal): Promise<{ unit: string, fn: string, lines: Line[] }> {
  const answer = await load<ChartAnswer>(`devices/${encodeURIComponent(device)}/chart`, { field, from: Math.floor(from), to: Math.ceil(to), points: most }, signal)
  return { unit: answer.unit, fn: answer.fn, lines: answer.series.map(s => line(s, type)) }
}

/** line turns a series into what can be drawn: yes and no are 1 and 0, words are not drawn. */
export function line(s: ChartAnswer['series'][number], type: string): Line {
  const mean = s.value.map(numeric)
  return { label: tagText(type, s.tags), at: s.time, mean, min: s.min?.map(numeric) ?? mean, max: s.max?.map(numeric) ?? mean, late: s.late ?? [] }
}

const numeric = (v: Cell): number | null => typeof v === 'number' ? v : typeof v === 'boolean' ? Number(v) : null
