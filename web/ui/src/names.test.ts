import { expect, test, vi } from 'vitest'
import { forgetNames, named } from './names'

test('a name that is told after it was to be forgotten is not kept', async () => {
  const answers: ((name: string) => void)[] = []
  vi.stubGlobal('fetch', () => new Promise((done) => {
    answers.push(name => done(new Response(JSON.stringify({ name }), { headers: { 'Content-Type': 'application/json' } })))
  }))
  expect(named('people/', 'ma')).toBe('ma')
  forgetNames()
  answers[0]!('马奶奶')
  await new Promise(done => setTimeout(done))
  expect(named('people/', 'ma')).toBe('ma')
  expect(answers).toHaveLength(2)
  answers[1]!('马奶奶')
  await vi.waitFor(() => expect(named('people/', 'ma')).toBe('马奶奶'))
  vi.unstubAllGlobals()
})
