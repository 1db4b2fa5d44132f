import { afterEach, expect, test, vi } from 'vitest'
import { devicesHere, find, forgetDevices, loadDevices } from './devices'
import { leave } from './session'
import type { Device } from './types'

afterEach(() => { vi.unstubAllGlobals(); forgetDevices() })

const device = (n: number): Device => ({ id: `d-${n}`, community: n % 2 ? 'north' : 'south', type: n % 3 ? 'water_meter' : 'sos_button', name: `水表 ${n}`, state: n % 100 ? 'active' : 'revoked', place: { building: 'b' + n % 40 } } as Device)

/** server answers with pages of count devices, each once go is called. */
function server(count: number) {
  const waiting: (() => void)[] = []
  vi.stubGlobal('fetch', (path: string) => {
    if (path === 'api/v1/session') return Promise.resolve(new Response('{}'))
    const q = new URLSearchParams(path.split('?')[1])
    const [from, limit] = [Number(q.get('cursor') ?? 0), Number(q.get('limit'))]
    const devices = Array.from({ length: Math.min(limit, count - from) }, (_, i) => device(from + i))
    const next = from + limit < count ? String(from + limit) : undefined
    return new Promise(resolve => waiting.push(() => resolve(new Response(JSON.stringify({ devices, next })))))
  })
  return async () => { await vi.waitFor(() => expect(waiting.length).toBeGreaterThan(0)); waiting.shift()!() }
}

test('of 20,000 devices those are found that have every word, and the wanted type and state', async () => {
  const go = server(20_000)
  const done = loadDevices()
  for (let page = 0; page < 4; page++) await go()
  await done
  expect(devicesHere.value.length).toBe(20_000)
  expect(find(devicesHere.value, '').length).toBe(20_000)
  expect(find(devicesHere.value, '水表 D-19999').map(d => d.id)).toEqual(['d-19999'])
  expect(find(devicesHere.value, '', 'sos_button', 'revoked').every(d => d.type === 'sos_button' && d.state === 'revoked')).toBe(true)
  expect(find(devicesHere.value, '', 'sos_button', 'revoked').length).toBe(67)
  expect(find(devicesHere.value, 'nothing of the kind')).toEqual([])
})

test('who comes next does not see them, nor what is answered too late', async () => {
  const go = server(2)
  const first = loadDevices()
  await go()
  await first
  expect(devicesHere.value.length).toBe(2)
  await leave()
  expect(devicesHere.value).toEqual([])
  const late = loadDevices()
  await leave()
  await go()
  await late
  expect(devicesHere.value).toEqual([])
})
