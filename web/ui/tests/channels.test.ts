// A channel is tested from the page: what arrives says that it is a test, and what fails is said in plain words.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Browser } from './browser'
import { Linli } from './linli'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const received: string[] = []
let receiver: Server
let linli: Linli
beforeAll(async () => {
  receiver = createServer((request, response) => {
    let body = ''
    request.on('data', (d) => { body += d })
    request.on('end', () => {
      if (request.url === '/ops') received.push(body)
      response.writeHead(request.url === '/ops' ? 204 : 401).end()
    })
  })
  await new Promise<void>(resolve => receiver.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
  linli = await Linli.start('0.01', [
    { name: 'ops', type: 'webhook', url: url + '/ops', secret, allow_private_addresses: true },
    { name: 'other', type: 'webhook', url: url + '/other', secret, allow_private_addresses: true },
  ])
})
afterAll(async () => {
  await linli.close()
  receiver.close()
})

test('a test says that it is one, and a channel that fails says why', async () => {
  const b = await Browser.open(linli)
  const p = b.page
  const press = async (name: string) => {
    await p.getByRole('row', { name: new RegExp('^' + name) }).getByTestId('test').click()
    await p.getByTestId('send').click()
    await p.getByTestId('answer').waitFor()
  }
  try {
    await b.enter(linli, '/channels')
    await press('ops')
    await p.getByTestId('answer').getByText('对方已接收').waitFor()
    expect(received).toHaveLength(1)
    expect(JSON.parse(received[0]!)).toMatchObject({ event: 'test', by: 'admin', alert: { rule: 'channel_test', state: 'closed' } })
    expect(received[0]).toContain('【测试】')
    await p.keyboard.press('Escape')
    await press('other')
    await p.getByTestId('answer').getByText('请检查密钥设置').waitFor()
    await p.getByTestId('send').click()
    await p.getByRole('alert').waitFor() // the next one in ten seconds
    await p.keyboard.press('Escape')
    await p.getByRole('row', { name: /^other/ }).getByText('异常').waitFor()
    expect(await p.content()).not.toContain(secret)
    const { entries } = await linli.api<{ entries: { route: string, target?: string }[] }>('GET', 'audit')
    expect(entries.filter(e => e.route === '/api/v1/channels/{id}/test').map(e => e.target)).toContain('ops')
    expect(b.errors.filter(e => !e.includes('status of 429'))).toEqual([])
  } finally {
    await b.close()
  }
})
