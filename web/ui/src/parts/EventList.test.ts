import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, expect, test, vi } from 'vitest'
import { state } from '../state'
import { i18n } from '../texts'
import EventList from './EventList.vue'

afterEach(() => { vi.unstubAllGlobals(); state.community = '' })

test('what is told of one community too late is not shown of another', async () => {
  const asked: { community: string, older: boolean, answer: (n: number) => Promise<void> }[] = []
  vi.stubGlobal('fetch', (path: string) => new Promise((resolve) => {
    const q = new URLSearchParams(path.split('?')[1])
    const community = q.get('community')!
    const event = (i: number) => ({ time: new Date(i * 1000).toISOString(), community, type: 'sos_button', device: `${community}-${q.has('to')}-${i}`, event: 'sos', fields: {} })
    asked.push({ community, older: q.has('to'), answer: async (n) => {
      resolve(new Response(JSON.stringify({ events: Array.from({ length: n }, (_, i) => event(i)), next: 'x' })))
      await flushPromises()
    } })
  }))
  state.community = 'north'
  const list = mount(EventList, { props: { list: { id: 'care', name: { zh: '求助', en: 'Calls' }, kinds: ['sos_button.sos'], fields: [] } }, global: { plugins: [i18n], stubs: { RouterLink: { template: '<a><slot /></a>' } } } })
  await asked[0]!.answer(2)
  await list.find('button.more').trigger('click')
  state.community = 'south'
  await flushPromises()
  expect(asked.map(a => [a.community, a.older])).toEqual([['north', false], ['north', true], ['south', false]])
  await asked[2]!.answer(1)
  await asked[1]!.answer(3)
  expect(list.text()).toContain('south-false-0')
  expect(list.text()).not.toContain('north')
  list.unmount()
})
