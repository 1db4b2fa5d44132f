import { afterEach, expect, test, vi } from 'vitest'
import { answering } from './answer'

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  sessionStorage.clear()
})

// A server that is away for some requests, and then answers with a status.
function server(away: number, status: number) {
  const asked: { key?: string, body: string }[] = []
  vi.stubGlobal('fetch', (_: string, r: { headers: Record<string, string>, body: string }) => {
    asked.push({ key: r.headers['Idempotency-Key'], body: r.body })
    return asked.length <= away ? Promise.reject(new TypeError('offline')) : Promise.resolve(new Response('{}', { status }))
  })
  return asked
}

test('one press is one answer, however often it has to be sent', async () => {
  vi.useFakeTimers()
  const asked = server(3, 200)
  const a = answering('x', async () => {})
  await a.press('a1', 'going')
  expect(a.how.value).toBe('waiting')
  await vi.advanceTimersByTimeAsync(60_000)
  expect(a.how.value).toBe('went')
  expect(asked.length).toBe(4)
  expect(new Set(asked.map(x => x.key)).size).toBe(1)
  expect(asked[0]?.body).toBe('{"alert":"a1","answer":"going"}')
})

test('an answer that waits survives a reload with its key', async () => {
  vi.useFakeTimers()
  const asked = server(1, 200)
  const before = answering('x', async () => {})
  await before.press('a1', 'cannot')
  before.stop()
  const after = answering('x', async () => {})
  await vi.advanceTimersByTimeAsync(0)
  expect(after.how.value).toBe('stayed')
  expect(asked.map(x => x.key)).toEqual([asked[0]?.key, asked[0]?.key])
  answering('x', async () => {})
  expect(asked.length).toBe(2)
})

test('what is refused is not sent again', async () => {
  const asked = server(0, 409)
  const a = answering('x', async () => {})
  await a.press('a1', 'going')
  expect(a.how.value).toBe('changed')
  expect(asked.length).toBe(1)
})
