// A community drawn from above: its plan as the registry has it, made whole. Buildings without a shape of their own stand in
// rows on their estate, a community without a plan gets its estates side by side. Lengths are metres, north is up.

import type { Community, Device, Place, Shape, Text } from './types'

export interface Box { x: number, y: number, w: number, h: number }
export interface Area { kind: 'estate' | 'building' | 'zone', place: Place, name?: Text, points: [number, number][], box: Box }
export interface Sheet { width: number, height: number, scenery: Shape[], areas: Area[] }
export interface Dot { device: Device, x: number, y: number, r: number }

const slab = 1.9 // how many times a building with the ground around it is as wide as it is deep
export const header = 0.16 // part of an estate that its name takes
const common = 0.16 // part of an estate for what stands in no building

/** drawn makes the plan of a community whole. */
export function drawn(c: Community): Sheet {
  const plan = c.plan ?? side(c)
  const areas: Area[] = plan.shapes.filter(s => s.kind === 'place').map(area)
  for (const e of c.estates ?? []) {
    const name = e.name
    const estate = areas.find(a => a.kind === 'estate' && a.place.estate === e.id)
    if (!estate) continue
    estate.name = name
    const missing = (e.buildings ?? []).filter(b => !areas.some(a => a.place.estate === e.id && a.place.building === b.id))
    areas.push(...rows(e.id, missing.map(b => b.id), ground(estate.box)))
  }
  return { width: plan.width_m, height: plan.height_m, scenery: plan.shapes.filter(s => s.kind !== 'place'), areas }
}

function area(s: Shape): Area {
  const kind = s.building ? 'building' : s.zone ? 'zone' : 'estate'
  const points = s.points.length === 2 ? corners(s.points[0]!, s.points[1]!) : s.points
  return { kind, place: { estate: s.estate, building: s.building, zone: s.zone }, name: s.name, points, box: around(points) }
}

const corners = ([x, y]: [number, number], [u, v]: [number, number]): [number, number][] => [[x, y], [u, y], [u, v], [x, v]]

export function around(points: [number, number][]): Box {
  const [xs, ys] = [points.map(p => p[0]), points.map(p => p[1])]
  const [x, y] = [Math.min(...xs), Math.min(...ys)]
  return { x, y, w: Math.max(...xs) - x, h: Math.max(...ys) - y }
}

/** ground is where the buildings of an estate stand; below it is the common strip. */
const ground = (b: Box): Box => ({ x: b.x, y: b.y + b.h * header, w: b.w, h: b.h * (1 - header - common) })
export const strip = (b: Box): Box => ({ x: b.x, y: b.y + b.h * (1 - common), w: b.w, h: b.h * common })

/** rows puts buildings in rows that face south. */
function rows(estate: string, buildings: string[], on: Box): Area[] {
  const columns = best(buildings.length, on, slab)
  const [w, h] = [on.w / columns, on.h / Math.ceil(buildings.length / columns)]
  return buildings.map((building, i) => {
    const [x, y] = [on.x + (i % columns) * w, on.y + Math.floor(i / columns) * h]
    const points = corners([x + w * .08, y + h * .14], [x + w * .92, y + h * .78])
    return { kind: 'building', place: { estate, building }, points, box: around(points) }
  })
}

/** best is the number of columns that gives n cells in a box the wanted ratio of width to height, as nearly as can be. */
function best(n: number, on: Box, ratio: number): number {
  let found = 1
  let off = Infinity
  for (let columns = 1; columns <= n; columns++) {
    const is = on.w / columns / (on.h / Math.ceil(n / columns))
    if (Math.abs(Math.log(is / ratio)) < off) [found, off] = [columns, Math.abs(Math.log(is / ratio))]
  }
  return found
}

/** dots puts one dot for each device into a box, in the order of the devices; gap is the most that two centres are apart. */
export function dots(devices: Device[], on: Box, gap: number): Dot[] {
  const columns = Math.max(1, Math.min(devices.length, best(devices.length, on, 1)), Math.min(devices.length, Math.floor(on.w / gap)))
  const cell = Math.min(on.w / columns, on.h / Math.ceil(devices.length / columns), gap)
  return devices.map((device, i) => ({
    device, r: cell * .34, x: on.x + cell * (i % columns + .5) + cell * .1, y: on.y + cell * (Math.floor(i / columns) + .5),
  }))
}

/** side is a plan for a community that has none: its estates side by side. */
function side(c: Community): { width_m: number, height_m: number, shapes: Shape[] } {
  const estates = c.estates ?? []
  const on = { x: 0, y: 0, w: 1200, h: 700 }
  const columns = best(Math.max(1, estates.length), on, 1.2)
  const [w, h] = [on.w / columns, on.h / Math.max(1, Math.ceil(estates.length / columns))]
  const shapes = estates.map((e, i): Shape => {
    const [x, y] = [(i % columns) * w, Math.floor(i / columns) * h]
    return { kind: 'place', estate: e.id, points: [[x + 12, y + 12], [x + w - 12, y + h - 12]] }
  })
  return { width_m: on.w, height_m: on.h, shapes }
}

/** spots finds the area that a device is drawn in: its zone or building where the plan shows it, else its estate. */
export function spots(areas: Area[]): (p?: Place) => Area | undefined {
  const at = (estate = '', building = '', zone = '') => [estate, building, zone].join('/')
  const index = new Map(areas.map(a => [at(a.place.estate, a.place.building, a.place.zone), a]))
  return (p = {}) => (p.zone && (index.get(at(p.estate, p.building, p.zone)) ?? index.get(at(p.estate, '', p.zone)) ?? index.get(at('', '', p.zone)))) ||
    (p.building && index.get(at(p.estate, p.building))) || (p.estate && index.get(at(p.estate))) || undefined
}
