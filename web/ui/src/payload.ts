// What an event says beside its name, in words.

import { field, pickTag, tagName, types, words } from './catalogue'
import { clock, pick, valueText } from './format'
import { word } from './texts'

// Fields that say something to programs only.
const machine = new Set([
  'received_at', 'time_source', 'late', 'seq', 'boot', 'bd_seq', 'delivery_seq', 'seq_no', 'session_id', 'transaction_id', 'id_token_hash',
  'member_hash', 'person_hash', 'visit_id', 'image_ref', 'clip_ref', 'bbox',
])

/** sayValue is the value of one field of an event, in words or with its unit. */
export function sayValue(type: string, event: string, id: string, value: unknown): string {
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value)) return clock(value, false)
  const unit = types.get(type)?.events.find(e => e.id === event)?.fields?.find(f => f.id === id)?.unit ?? field(type, id)?.unit
  const said = valueText(value, unit, words(type, id))
  return typeof value === 'string' && said === value ? pickTag(id, value, type) : said
}

const nameOf = (type: string, id: string) => {
  const named = pick(field(type, id)?.name) || (types.get(type)?.tags?.some(g => g.id === id) ? tagName(id, type) : '')
  return named || word('payload', id)
}

/** sayPayload is what the fields of an event say to people: a name and a value each. */
export function sayPayload(type: string, event: string, fields: Record<string, unknown>): { name: string, value: string }[] {
  return Object.entries(fields).filter(([id]) => !machine.has(id)).map(([id, v]) => ({ name: nameOf(type, id), value: id === 'code' ? word('code', String(v)) : sayValue(type, event, id, v) }))
}
