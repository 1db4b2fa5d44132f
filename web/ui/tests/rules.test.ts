// What a manager does with rules: change one for a device with a form that the server checks, take it back, and try one on history.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { Browser } from './browser'
import type { Alert } from '../src/types'
import { Linli, until } from './linli'

let linli: Linli
beforeAll(async () => { linli = await Linli.start() })
afterAll(async () => { await linli.close() })

test('a rule is changed for one device, and the change is shown where it holds and taken back', async () => {
  const { id } = await station('rules-1')
  const b = await Browser.open(linli)
  const p = b.page
  try {
    await b.enter(linli, '/rules')
    await p.getByTestId('search').fill('垃圾满溢')
    await p.getByRole('link', { name: '垃圾满溢' }).first().click()
    await p.getByText('满溢度 ≥ 95%，持续 10分钟').first().waitFor()
    await p.getByTestId('change').click()
    await p.locator('dialog').getByLabel('单台设备').check()
    await p.getByTestId('device').fill(id)
    await p.locator('dialog').getByTestId('set-for').fill('soon')
    await p.getByTestId('reason').fill('站点改造')
    await p.getByTestId('save').click()
    await p.locator('.wrong', { hasText: '持续时间' }).getByRole('alert').waitFor() // the error stands at its field
    await p.locator('dialog').getByTestId('set-for').fill('30m')
    await p.locator('dialog').getByTestId('set-when').fill('80')
    await p.getByTestId('save').click()
    await p.locator('dialog').waitFor({ state: 'detached' })
    await p.getByTestId('overrides').getByText('站点改造').waitFor()

    await b.go('/devices/' + id)
    await p.getByTestId('rules').getByText('满溢度 ≥ 80%，持续 30分钟').waitFor()
    await p.getByTestId('rules').getByText('站点改造').waitFor()
    const { rules } = await linli.api<{ rules: { rule: string, params: Record<string, string> }[] }>('GET', `devices/${id}/rules`)
    expect(rules.find(r => r.rule === 'ws_overflow')!.params).toMatchObject({ when: 'value >= 80.0', for: '30m' })

    await b.go('/rules/ws_overflow')
    await p.getByTestId('remove').click()
    await p.getByTestId('sure').click()
    await p.getByTestId('remove').waitFor({ state: 'detached' })
    expect(b.errors.filter(e => !e.includes('status of 400'))).toEqual([])
  } finally {
    await b.close()
  }
})

test('the chart of an alert shows the threshold that it was judged by, whatever the rule says later', async () => {
  const { id, secret } = await station('rules-3')
  const { id: change } = await linli.api<{ id: string }>('POST', 'rules/overrides', { rule: 'ws_overflow', device: id, reason: '小桶', set: { when: 'value >= 70.0', for: '1s' } })
  const alert = await until(async () => { // the change is in force a moment after it was answered
    linli.publish(id, secret, `linli/telemetry/tianjin/waste_station/${id}`, JSON.stringify({ inlet: '1', fill_level_pct: 72 }))
    return (await linli.api<{ alerts: Alert[] }>('GET', `alerts?device=${id}`)).alerts.find(a => a.rule === 'ws_overflow')
  })
  expect(alert.judged).toMatchObject({ fields: 'fill_level_pct', when: 'value >= 70.0' })
  const [b, nurse] = [await Browser.open(linli), await Browser.open(linli)]
  const p = b.page
  try {
    await b.enter(linli, '/devices/' + id)
    await p.getByTestId('limits').getByText('满溢度 ≥ 70%').waitFor()
    await linli.api('DELETE', 'rules/overrides/' + change)
    await b.go('/alerts/' + alert.id)
    await p.getByTestId('limits').getByText('满溢度 ≥ 70%').waitFor()
    await p.getByTestId('says').getByText('满溢度 ≥ 70%').waitFor()
    expect(b.errors).toEqual([])
    // A caretaker may not read the rules, and sees the line nevertheless: as it was, and as it is for the device now.
    const { password } = await linli.api<{ password: string }>('POST', 'users', { name: 'nurse', role: 'caretaker', communities: ['tianjin'] })
    await nurse.page.goto(linli.url)
    await nurse.login('nurse', password, '护理员的好密码 2026')
    await nurse.go('/alerts/' + alert.id)
    await nurse.page.getByTestId('limits').getByText('满溢度 ≥ 70%').waitFor()
    await nurse.go('/devices/' + id)
    await nurse.page.getByTestId('limits').getByText('满溢度 ≥ 95%').waitFor()
    expect(nurse.errors).toEqual([])
  } finally {
    await b.close()
    await nurse.close()
  }
})

test('a rule is tried on history, as it is and with another threshold', async () => {
  const { id } = await station('rules-2')
  const now = Date.now()
  linli.importReadings(Array.from({ length: 60 }, (_, i) =>
    `waste_station,community=tianjin,device=${id},inlet=1 fill_level_pct=${i < 20 ? 10 : 50},received_at=${now - (60 - i) * 60e3}i ${BigInt(now - (60 - i) * 60e3) * 1_000_000n}`))
  const b = await Browser.open(linli, { language: 'en', width: 360 })
  const p = b.page
  try {
    await b.enter(linli, '/rules/ws_overflow')
    const card = p.getByTestId('replay')
    await card.getByTestId('of').fill(id)
    await card.getByTestId('run').click()
    await card.getByTestId('sum').getByText('No alert would have come').waitFor()
    await card.getByText('What if').click()
    await card.getByTestId('set-when').fill('30')
    await card.getByTestId('run').click()
    await card.getByTestId('sum').getByText('1 Would open').waitFor()
    await card.getByText('Replay only').waitFor()
    const { alerts } = await linli.api<{ alerts: { device: string }[] }>('GET', `alerts?device=${id}`)
    expect(alerts).toEqual([]) // nothing was kept
    expect(b.errors).toEqual([])
  } finally {
    await b.close()
  }
})

const station = (id: string) => linli.api<{ id: string, secret: string }>('POST', 'devices', { id, community: 'tianjin', type: 'waste_station' })
