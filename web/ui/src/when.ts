// Dates and times as they are typed and shown in forms: in figures, the same in every language, and never as the browser would have them.

export type Kind = 'date' | 'time' | 'moment'

/** shown is a date, a time of day or both (2026-01-05T22:00) as a form shows it. */
export const shown = (value: string) => value.replace('T', ' ').slice(0, 16)

const date = /^(\d{4})(?:[-/.年]\s?(\d{1,2})[-/.月]\s?(\d{1,2})日?|(\d{2})(\d{2}))$/
const time = /^(\d{1,2})(?:[:.时点](\d{1,2})分?|(\d{2}))$/
const two = (n = '') => n.padStart(2, '0')

/** read is what somebody has typed, as inputs of the browser have it; undefined if it is no such thing. Full-width figures and 2026/1/5, 2026年1月5日, 20260105, 9:30 and 0930 will do. */
export function read(typed: string, kind: Kind): string | undefined {
  const text = typed.normalize('NFKC').replace(/\s+/g, ' ').trim()
  if (!text) return ''
  if (kind === 'date') return readDate(text)
  if (kind === 'time') return readTime(text)
  const cut = Math.max(text.lastIndexOf(' '), text.lastIndexOf('T'))
  const [day, hour] = [readDate(text.slice(0, cut).trim()), readTime(text.slice(cut + 1))]
  return cut > 0 && day && hour ? `${day}T${hour}` : undefined
}

function readDate(text: string): string | undefined {
  const m = date.exec(text)
  if (!m) return undefined
  const said = `${m[1]}-${two(m[2] ?? m[4])}-${two(m[3] ?? m[5])}`
  const ms = Date.parse(said + 'T00:00Z')
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(said) ? said : undefined // the 30th of February is none
}

function readTime(text: string): string | undefined {
  const m = time.exec(text)
  if (!m) return undefined
  const [hour, minute] = [Number(m[1]), Number(m[2] ?? m[3])]
  return hour < 24 && minute < 60 ? `${two(String(hour))}:${two(String(minute))}` : undefined
}
