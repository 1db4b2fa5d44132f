import { expect, test } from 'vitest'
import { dots, drawn, spots, type Box } from './plan'
import type { Community, Device } from './types'

const estates = (n: number, buildings: number) => [...Array(n)].map((_, e) => ({
  id: `e${e + 1}`, name: { zh: `${e + 1}区` }, buildings: [...Array(buildings)].map((_, b) => ({ id: `b${b + 1}` })),
}))
const inside = (a: Box, b: Box) => a.x >= b.x && a.y >= b.y && a.x + a.w <= b.x + b.w && a.y + a.h <= b.y + b.h
const apart = (a: Box, b: Box) => a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y

test('a community without a plan gets one: every building is on its estate, and none on another', () => {
  for (const c of [{ id: 'a', name: {}, estates: estates(1, 59) }, { id: 'b', name: {}, estates: estates(8, 8) }] as Community[]) {
    const { areas } = drawn(c)
    const buildings = areas.filter(a => a.kind === 'building')
    expect(buildings).toHaveLength(c.estates!.reduce((n, e) => n + e.buildings!.length, 0))
    for (const b of buildings) {
      expect(inside(b.box, areas.find(a => a.kind === 'estate' && a.place.estate === b.place.estate)!.box)).toBe(true)
      for (const other of buildings) if (other !== b) expect(apart(b.box, other.box)).toBe(true)
    }
  }
})

test('a shape of its own is where a building is', () => {
  const c: Community = {
    id: 'a', name: {}, estates: estates(1, 3),
    plan: { width_m: 100, height_m: 100, shapes: [{ kind: 'place', estate: 'e1', points: [[0, 0], [100, 100]] }, { kind: 'place', estate: 'e1', building: 'b2', points: [[10, 10], [20, 14]] }] },
  }
  const { areas } = drawn(c)
  expect(areas.find(a => a.place.building === 'b2')!.box).toEqual({ x: 10, y: 10, w: 10, h: 4 })
  expect(areas.filter(a => a.kind === 'building')).toHaveLength(3)
  const spot = spots(areas)
  expect(spot({ estate: 'e1', building: 'b2', unit: 'u1', zone: 'home-1' })!.place.building).toBe('b2')
  expect(spot({ estate: 'e1', zone: 'shed-1' })!.kind).toBe('estate')
  expect(spot({ zone: 'lake' })).toBeUndefined()
  expect(spot()).toBeUndefined()
})

test('dots stay in their box and lie on no other', () => {
  for (const n of [1, 7, 240]) {
    const box = { x: 5, y: 5, w: 200, h: 60 }
    const all = dots([...Array(n)].map((_, i) => ({ id: String(i) }) as Device), box, 20)
    expect(all).toHaveLength(n)
    for (const a of all) {
      expect(inside({ x: a.x - a.r, y: a.y - a.r, w: 2 * a.r, h: 2 * a.r }, { ...box, w: box.w * 1.1 })).toBe(true)
      for (const b of all) if (a !== b) expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThanOrEqual(a.r + b.r)
    }
  }
})
