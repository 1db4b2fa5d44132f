// What the API says, as far as the pages use it. The contract is /api/v1/openapi.json.

export interface Text { zh?: string, en?: string }
export interface Place { estate?: string, building?: string, unit?: string, zone?: string }

export interface Community {
  id: string
  name: Text
  timezone?: string
  estates?: { id: string, name: Text, buildings?: { id: string, units?: string[] }[] }[]
  plan?: { width_m: number, height_m: number, shapes: Shape[] }
}

/** Shape is one thing on a plan, in metres from its upper left corner; two points are opposite corners of a rectangle. */
export interface Shape {
  kind: 'place' | 'road' | 'water' | 'green' | 'square'
  estate?: string
  building?: string
  zone?: string
  name?: Text
  points: [number, number][]
  width_m?: number // of a road, whose points are its middle line
}

export const severities = ['critical', 'high', 'medium', 'low', 'informational'] as const
export type Severity = typeof severities[number]
export type AlertState = 'opened' | 'acknowledged' | 'cleared' | 'closed'

export interface Alert {
  id: string
  rule: string
  kind: string
  name: Text
  text: Text
  severity: Severity
  level?: string
  confirmed_by?: string
  category: string
  state: AlertState
  safety: boolean
  latched: boolean
  community: string
  device: string
  type: string
  person?: string
  place?: Place
  identity: string
  value?: number | string | boolean
  unit?: string
  judged?: Record<string, string> // what its rule asked for when it opened, as RuleInForce has it
  opened_at: string
  event_time: string
  last_event: string
  received_at: string
  late?: boolean
  count: number
  acknowledged_at?: string
  acknowledged_by?: string
  cleared_at?: string
  closed_at?: string
  closed_by?: string
  disposition?: string
  assignee?: string
  family_ack_by?: string
  snoozed_until?: string
  instructions?: Text
  held?: string
  held_until?: string
  events: number
}

export interface Address { channel: string, to?: string }

export interface Recipient {
  target: string
  person?: string
  name?: string
  reach?: Address[]
  round?: number
  step?: number
  held?: string
  until?: string
}

export interface AlertEvent {
  n: number
  kind: string
  at: string
  by?: string
  note?: string
  tell?: Recipient[]
  alert: Alert
}

export interface AlertDetail extends Alert { history: AlertEvent[] }

export interface DeliveryRef { alert: string, delivery: string }

/** WhyEntry says whether one recipient was told of one thing that happened, and if not, why. */
export interface WhyEntry {
  n: number
  event: string
  at: string
  who: string
  name?: string
  target: string
  round: number
  step: number
  told: boolean
  held?: string
  until?: string
  deliveries: { id: string, channel: string, to?: string, state: string, attempts: number, error?: string, within?: DeliveryRef, contains?: DeliveryRef[], updated: string }[]
}

export interface Device {
  id: string
  community: string
  type: string
  name?: string
  place?: Place
  tags?: Record<string, string>
  attributes?: Record<string, number>
  gateway?: string
  person?: string
  state: 'active' | 'revoked' | 'replaced'
  replaces?: string
  replaced_by?: string
  created: string
}

export interface Value {
  device?: string
  field: string
  name?: Text
  unit: string
  time: string
  value: number | string | boolean
  tags?: Record<string, string>
}

export interface DeviceDetail extends Device { type_name: Text, topic: string, values: Value[] }

export interface Credentials { id: string, username: string, secret: string, topic: string }

export interface Reject {
  id: string
  received_at: string
  source: string
  topic: string
  community?: string
  device: string
  device_name?: string
  code: string
  reason: string
  /** names of the fields that the reason says were left out */
  field_names?: Record<string, Text>
  raw_base64: string
}

/** until: when it ends; without one it is taken back by hand. */
export interface Consent { scope: string, since: string, until?: string }

export interface Person {
  id: string
  community: string
  name: string
  roles?: string[]
  language?: string
  phone?: string
  home?: string
  notes?: string
  reach?: Address[]
  quiet?: { from: string, to: string }
  circle?: { person: string, relation: string, calls?: string, consent?: Consent[] }[]
  away: boolean
  away_since?: string
  away_until?: string
  all_is_well?: { at: string }
  version?: string
}

export interface User {
  name: string
  display?: string
  role: string
  communities: string[] | null
  elders: string[] | null
  person?: string
  via?: 'session' | 'token' | 'admin_token'
  language?: string
  must_change?: boolean
  disabled?: boolean
  changed?: string
}

/** Hold keeps people from being told of the alerts that match. One of life-safety has no effect until somebody else confirms it. */
export interface Hold {
  id: string
  kind?: 'silence' | 'maintenance' | 'commissioning'
  match: Record<string, string>
  reason: string
  from: string
  until: string
  by: string
  safety?: boolean
  by_person?: string
  confirm_by?: string
  confirmed_by?: string
  ended_at?: string
}

export type CommandState = 'queued' | 'sent' | 'done' | 'failed' | 'expired'

/** Command is what a device was asked to do, as it is now; the server keeps every state. */
export interface Command {
  id: string
  command: string
  params?: Record<string, number | boolean | string>
  device: string
  by: string
  asked_at: string
  expires_at: string
  state: CommandState
  at: string
  reason?: string
  history?: { state: CommandState, at: string, reason?: string }[]
}
