// The device types, loaded once: names of types, fields, events and the words of enums.

import { shallowReactive } from 'vue'
import { load, Problem } from './api'
import { pick } from './format'
import { word } from './texts'
import type { Text } from './types'

export interface Field { id: string, name?: Text, unit?: string, type: string, kind: string, range?: [number, number], period?: string, enum?: string }
export interface EventType { id: string, name: Text, fields?: { id: string, name?: Text, unit?: string, enum?: string }[] }
export interface Param { id: string, name?: Text, type: string, unit?: string, values?: string[], min?: number, max?: number, optional?: boolean }
/** CommandType is something a device can be asked to do. danger: done late or by mistake it does harm; managers: not for the desk. */
export interface CommandType { id: string, name: Text, params: Param[], danger?: boolean, managers?: boolean, ttl_s: number, ttl_most_s: number }
export interface DeviceType {
  id: string
  name: Text
  /** names are those of values; a tag without values takes any identifier. */
  tags?: { id: string, name?: Text, registry?: boolean, values?: string[], names?: Record<string, Text> }[]
  fields: Field[]
  events: EventType[]
  commands?: CommandType[]
  enums?: Record<string, Record<string, Text>>
  attributes?: { id: string, name: Text, unit?: string }[]
}

export const types = shallowReactive(new Map<string, DeviceType>())

let asked: Promise<void> | undefined

/** loadTypes loads the types unless they are there. A server that does not tell them leaves the ids to be shown. */
export function loadTypes(): Promise<void> {
  asked ??= load<{ types: DeviceType[] }>('types').then(({ types: all }) => {
    for (const type of all) types.set(type.id, type)
  }).catch((err) => {
    asked = undefined
    if (!(err instanceof Problem && err.status === 404)) throw err
  })
  return asked
}

export const typeName = (id: string) => pick(types.get(id)?.name) || id
export const field = (type: string, id: string) => types.get(type)?.fields.find(f => f.id === id)
export const eventName = (type: string, id: string) => pick(types.get(type)?.events.find(e => e.id === id)?.name) || id

/** words are the values of an enum field by their id. */
export function words(type: string, id: string): Record<string, Text> | undefined {
  const of = types.get(type)
  return of?.enums?.[field(type, id)?.enum ?? id]
}

/** pickWord is one value of an enum field in words, or the value itself. */
export const pickWord = (type: string, id: string, value: string) => pick(words(type, id)?.[value]) || value

// The tags of an id: that of one type, or where a type is not known those of all.
const tagsOf = (id: string, type = '') => [...(type ? [types.get(type)] : types.values())].flatMap(x => x?.tags?.filter(g => g.id === id) ?? [])

/** tagName is what a tag, or one of the words of places, is called. */
export const tagName = (id: string, type?: string) => pick(tagsOf(id, type)[0]?.name) || word('place', id)

/** pickTag is one value of a tag in words, or the value itself. */
export const pickTag = (id: string, value: string, type?: string) => pick(tagsOf(id, type).find(g => g.names?.[value])?.names?.[value]) || value

/** tagText is what the tags of a device or of one of its series say; named, or where a value has no name of its own, also of what. */
export function tagText(type: string | undefined, tags: Record<string, string> = {}, named = false): string {
  return Object.entries(tags).map(([id, v]) => {
    const said = pickTag(id, v, type)
    return (named || said === v ? tagName(id, type) + ' ' : '') + said
  }).join(' · ')
}
