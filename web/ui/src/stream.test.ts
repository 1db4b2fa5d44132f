import { afterEach, expect, test, vi } from 'vitest'
import { state } from './state'
import { follow, parse, stop, type ServerEvent } from './stream'

afterEach(() => {
  stop()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('events come whole, however the bytes are cut', () => {
  const text = 'retry: 2000\n\n: ping\n\nevent: snapshot\nid: 7\ndata: {"alerts":[]}\n\nevent: alert\nid: 8\ndata: {"a": 1}\n\n'
  for (let cut = 0; cut <= text.length; cut++) {
    const got: ServerEvent[] = []
    let rest = parse(text.slice(0, cut), e => got.push(e))
    rest = parse(rest + text.slice(cut), e => got.push(e))
    expect(rest).toBe('')
    expect(got).toEqual([{ event: 'snapshot', id: '7', data: '{"alerts":[]}' }, { event: 'alert', id: '8', data: '{"a": 1}' }])
  }
})

test('a stream that was lost goes on from its last event, but after a minute of silence anew', async () => {
  vi.useFakeTimers()
  const from: (string | null)[] = []
  let reached = true
  vi.stubGlobal('fetch', async (_: string, { headers }: { headers: Headers }) => {
    from.push(headers.get('Last-Event-ID'))
    if (!reached) throw new TypeError('unreachable')
    return new Response('event: snapshot\nid: 7\ndata: {"alerts":[]}\n\n')
  })
  state.lastEvent = ''
  follow(() => {})
  await vi.advanceTimersByTimeAsync(2000)
  expect(from).toEqual([null, '7'])
  reached = false
  await vi.advanceTimersByTimeAsync(58_000)
  expect(from.splice(0).slice(2)).toEqual(Array(29).fill('7'))
  await vi.advanceTimersByTimeAsync(2000)
  expect(from).toEqual([null])
})
