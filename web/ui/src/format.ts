// Numbers, times and places as people of the chosen language read them.

import { computed } from 'vue'
import { beside } from './say'
import { community, state } from './state'
import type { Alert, Community, Place, Text } from './types'

export const locale = () => (state.language === 'zh' ? 'zh-CN' : 'en-GB')

/** pick is a text in the chosen language, or in the other if it has none. */
export const pick = (text?: Text) => (text && (text[state.language] || text.zh || text.en)) || ''

const units: Record<string, string> = {
  Cel: '°C', '[ppm]': 'ppm', 'dB{1mW}': 'dBm', 'dB[SPL]': 'dB', 'W.h': 'Wh', 'kW.h': 'kWh', 'V.A': 'VA', 'mm[Hg]': 'mmHg', 'm3': 'm³',
  'm3/h': 'm³/h', 'm3/s': 'm³/s', 'ug/m3': 'µg/m³', 'mg/m3': 'mg/m³', 'W/m2': 'W/m²', 'deg': '°', '1': '', 'kOhm': 'kΩ', '/min': 'min⁻¹',
  'kbit/s': 'kbit/s', 'K': '°C', '{CNY}': 'CNY', '{NTU}': 'NTU', '%{LEL}': '% LEL', '{beats}/min': '/min', '{breaths}/min': '/min',
}
const chineseUnits: Record<string, string> = { '{beats}/min': '次/分', '{breaths}/min': '次/分', '{CNY}': '元', 'ms': '毫秒', 's': '秒', 'min': '分钟', 'h': '小时', 'd': '天' }

/** unit writes a UCUM unit as it is read; counted things in braces have none. */
export function unit(u?: string): string {
  return (state.language === 'zh' ? chineseUnits[u ?? ''] : '') || (units[u ?? ''] ?? (!u || u.startsWith('{') ? '' : u))
}

/** figure writes a number with as many digits as say something. */
export function figure(v: number, digits?: number): string {
  const size = Math.abs(v)
  const most = digits ?? (size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3)
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: most }).format(v)
}

// Units whose large values are read in a larger one, from which value on, and how many of them make one; the largest first.
const larger: Record<string, { unit: string, from: number, by: number }[]> = {
  'W': [{ unit: 'kW', from: 1000, by: 1000 }], 'W.h': [{ unit: 'kW.h', from: 1000, by: 1000 }], 'kg': [{ unit: 't', from: 10_000, by: 1000 }],
  's': [{ unit: 'h', from: 7200, by: 3600 }, { unit: 'min', from: 120, by: 60 }],
}
// Digits after the point that say something, whatever the size.
const digitsOf: Record<string, number> = { '%': 1, 'Cel': 1, 'K': 1, 'min': 1, 'h': 1, '{CNY}': 2, '{beats}/min': 0, '{breaths}/min': 0 }

/** scaled is the unit in which values of this size are read, and what they are divided by. */
export function scaled(most: number, u?: string): { unit?: string, by: number } {
  return larger[u ?? '']?.find(l => Math.abs(most) >= l.from) ?? { unit: u, by: 1 }
}

/** quantity writes a number with its unit, in a larger one where that reads better. */
export function quantity(v: number, u?: string, digits?: number): string {
  const s = scaled(v, u)
  const name = unit(s.unit)
  const most = digits ?? digitsOf[s.unit ?? '']
  return figure(v / s.by, most) + (name && (name === '%' || name === '°' ? name : ' ' + name))
}

/** spread writes a mean with the lowest and the highest that it is of, all three in the unit in which the mean is read. */
export function spread(mean: number, min: number, max: number, u?: string): string {
  const { by } = scaled(mean, u)
  return `${quantity(mean, u)} (${figure(min / by)}–${figure(max / by)})`
}

/** dotted lists what there is of parts; a dot does not begin a line. */
export const dotted = (parts: string[]) => parts.filter(Boolean).join('\u00a0· ')

const writers = new Map<string, Intl.DateTimeFormat>()

/** written is a time in a form of the chosen language. A writer is made once: making it takes longer than the row that the time is in. */
function written(time: Date, how: Intl.DateTimeFormatOptions): string {
  const key = locale() + JSON.stringify(how)
  let writer = writers.get(key)
  if (!writer) writers.set(key, writer = new Intl.DateTimeFormat(locale(), how))
  return writer.format(time)
}

// By itself, so that what shows a time is drawn again at midnight and not every second.
const today = computed(() => new Date(state.now).toDateString())

export function clock(time: string | number | undefined, seconds = true): string {
  if (!time) return ''
  const d = new Date(time)
  if (d.toDateString() === today.value) return written(d, { timeStyle: seconds ? 'medium' : 'short', hour12: false })
  return written(d, { month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit', ...(seconds && { second: '2-digit' }), hour12: false })
}

export const day = (time: string | number) => written(new Date(time), { dateStyle: 'medium' })

/** span writes how long something lasts: its two largest units below a day, else days and hours. */
export function span(ms: number): string {
  const zh = state.language === 'zh'
  const s = Math.max(0, Math.round(ms / 1000))
  const [d, h, m] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60]
  if (d > 0) return zh ? `${d}天${h ? h + '小时' : ''}` : `${d} d${h ? ` ${h} h` : ''}`
  if (h > 0) return zh ? `${h}小时${m ? m + '分' : ''}` : `${h} h${m ? ` ${m} min` : ''}`
  if (m > 0) return zh ? `${m}分钟` : `${m} min`
  return zh ? `${s}秒` : `${s} s`
}

/** since is how long ago a moment was. It follows the clock of the state, so it moves by itself. */
export const since = (time: string) => span(state.now - Date.parse(time))

function numbered(id: string | undefined, form: RegExp, zh: string, en: string): string {
  const n = id?.match(form)?.[1]
  return n ? (state.language === 'zh' ? n + zh : `${en} ${n}`) : id ?? ''
}

// A zone is called as the plan calls it. One that only a program could have named is left out.
function zone(id: string | undefined, c?: Community): string {
  if (!id) return ''
  return pick(c?.plan?.shapes.find(s => s.zone === id)?.name) || (/^[a-z0-9_-]+$/.test(id) ? '' : id)
}

/** where names a place from the large to the small, with its community when all are shown. */
export function where(place?: Place, of?: string): string {
  const c = of ? community(of) : undefined
  const estate = c?.estates?.find(e => e.id === place?.estate)
  return dotted([
    of && !state.community ? (c ? pick(c.name) : of) : '',
    place?.estate ? pick(estate?.name) || place.estate : '',
    numbered(place?.building, /^b?0*(\d{1,3})$/, '栋', 'Bldg'),
    numbered(place?.unit, /^u?0*(\d{1,2})$/, '单元', 'Unit'),
    zone(place?.zone, c),
  ])
}

/** alertWhere is what an alert says without what its name says already, and without the community if only one is shown. */
export function alertWhere(a: Alert): string {
  const rest = beside(pick(a.name), pick(a.text))
  const of = state.community ? pick(community(a.community)?.name) : ''
  return (of && rest.startsWith(of) ? rest.slice(of.length).replace(/^,? /, '') : rest) || alertPlace(a) || a.device
}

export const alertPlace = (a: Alert) => where(a.place, a.community)

/** valueText writes any value of a field; the words of an enum come from the catalogue. */
export function valueText(v: unknown, u?: string, words?: Record<string, Text>): string {
  if (typeof v === 'number') return quantity(v, u)
  if (typeof v === 'boolean') return state.language === 'zh' ? (v ? '是' : '否') : (v ? 'yes' : 'no')
  if (v === undefined || v === null) return ''
  return pick(words?.[String(v)]) || String(v)
}
