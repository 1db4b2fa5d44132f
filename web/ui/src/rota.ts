// The calendar of a rota, by days of its community, whose clock is not that of the browser.

export interface Shift { from: string, to: string, people: string[] }
export interface Layer { name?: string, people: string[], turn: string, every?: number, since: string, until?: string, hand_over?: string, days?: string[], from?: string, to?: string }
export interface Override { from: string, to: string, off?: string, on?: string, swap?: boolean, note?: string }
export interface Rota {
  id: string, community: string, role: string, name?: string, layers: Layer[], overrides?: Override[], notes?: { at: string, by: string, text: string }[], on_duty: string[], version: string
}

/** Piece is the part of a shift that lies in one day; times are of the community, 24:00 is midnight at its end. */
export interface Piece { from: string, to: string, people: string[], shift: Shift }

/** offset is how far a time zone is from UTC at a moment, such as +08:00. */
export function offset(zone: string, at: number): string {
  const name = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts(at).find(p => p.type === 'timeZoneName')?.value ?? ''
  return name.slice(3) || '+00:00'
}

/** moment is when a day and time of a community is, as the API takes it. */
export function moment(local: string, zone: string): string {
  const time = local.length === 10 ? local + 'T00:00' : local.slice(0, 16)
  return `${time}:00${offset(zone, Date.parse(time + 'Z'))}`
}

/** dayAfter is the date so many days after another. */
export const dayAfter = (date: string, n: number) => new Date(Date.parse(date + 'T00:00Z') + n * 86400e3).toISOString().slice(0, 10)

/** today is the date in a time zone. */
export const today = (zone: string, now: number) => new Intl.DateTimeFormat('sv-SE', { timeZone: zone }).format(now)

/** dutyDay is the date of the duty day that runs: it began with the last hand-over, at 08:00 where a layer says nothing else. */
export const dutyDay = (zone: string, now: number) => today(zone, now - 8 * 3600e3)

/** firstDay is the Monday of the week, or of the week in which the month begins. */
export function firstDay(date: string, month: boolean): string {
  const from = month ? date.slice(0, 8) + '01' : date
  return dayAfter(from, -((new Date(from + 'T00:00Z').getUTCDay() + 6) % 7))
}

/** pieces cuts shifts into days. Their times are written with the offset of the community, so they compare as they stand. */
export function pieces(day: string, shifts: Shift[]): Piece[] {
  const [begin, end] = [day + 'T00:00', dayAfter(day, 1) + 'T00:00']
  return shifts.map(shift => ({ shift, from: shift.from.slice(0, 16), to: shift.to.slice(0, 16) })).filter(s => s.from < end && s.to > begin)
    .map(s => ({ shift: s.shift, people: s.shift.people, from: s.from <= begin ? '00:00' : s.from.slice(11), to: s.to >= end ? '24:00' : s.to.slice(11) }))
}
