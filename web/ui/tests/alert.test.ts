// What the desk sees and does of one alert: how far the messages have come, what was done, and what was so before; and what it hears.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { Browser } from './browser'
import { Hook } from './hook'
import { Kin } from './kin'
import { Linli, until } from './linli'
import type { Alert } from '../src/types'

let linli: Linli
let hook: Hook
beforeAll(async () => {
  hook = await Hook.open()
  linli = await Linli.start('0.01', [hook.channel('sms')])
})
afterAll(async () => {
  await linli.close()
  hook.close()
})

const row = (b: Browser, device: string) => b.page.getByTestId('alerts').locator(`[data-device=${device}]`)
const of = async (device: string) => (await linli.api<{ alerts: Alert[] }>('GET', `alerts?device=${device}`)).alerts

test('how far a message has come is seen without a reload', async () => {
  const kin = await Kin.join(linli, hook, 'receipt')
  const b = await Browser.open(linli)
  try {
    await b.enter(linli)
    await b.page.locator('.link.live').waitFor()
    const go = hook.hold()
    const link = kin.press()
    await row(b, 'receipt-band').getByRole('link').focus()
    await row(b, 'receipt-band').click()
    const detail = b.page.getByTestId('detail')
    await detail.getByText('王芳').first().waitFor()
    await detail.getByText('正在发送').first().waitFor()
    go()
    await link
    await detail.locator('li', { hasText: '王芳' }).getByText('已发出').waitFor()
    await kin.end()
    expect(b.errors).toEqual([])
  } finally {
    await b.close()
  }
})

test('an alert is commented, assigned, put off and closed on its page, which shows how the earlier ones ended', async () => {
  const { secret } = await linli.api<{ secret: string }>('POST', 'devices', { id: 'page-1', community: 'tianjin', type: 'wearable_band', name: '张奶奶的手环' })
  const opened = (seq: number) => { // what is numbered anew is another press
    linli.publish('page-1', secret, 'linli/event/tianjin/wearable_band/page-1/sos', JSON.stringify({ seq }))
    return until(async () => (await of('page-1')).find(a => a.state === 'opened'))
  }
  const first = await opened(1)
  await linli.api('POST', `alerts/${first.id}/close`, { disposition: 'false_press' })
  const { id } = await opened(2)
  const b = await Browser.open(linli)
  const p = b.page
  const ask = async (kind: string, fill: () => Promise<unknown>) => {
    await p.getByTestId(kind).click()
    await fill()
    await p.locator('dialog').getByTestId('send').click()
    await p.locator('dialog').waitFor({ state: 'detached' })
  }
  try {
    await b.enter(linli, '/alerts/' + id)
    const timeline = p.getByTestId('timeline')
    await p.getByText('误按 1').waitFor() // the one before
    await p.locator('.card', { hasText: '此前同类告警' }).locator(`[data-id="${first.id}"]`).waitFor()
    await p.locator('.card', { hasText: '为什么告警' }).getByRole('link', { name: '手环求救' }).waitFor()
    expect(await p.getByTestId('snooze').count()).toBe(0) // life-safety that nobody has taken on
    await ask('comment', () => p.locator('dialog textarea').fill('打了两次电话'))
    await timeline.getByText('打了两次电话').waitFor()
    await p.getByRole('button', { name: '确认', exact: true }).click()
    await timeline.getByText('已确认').waitFor()
    await ask('assign', () => p.locator('dialog input').fill('李小琴'))
    await timeline.getByText('已指派给 李小琴').waitFor()
    await ask('snooze', () => p.locator('dialog select').selectOption('30'))
    await timeline.getByText('稍后提醒').waitFor()
    await p.getByTestId('close').click()
    await p.locator('dialog').getByTestId('send').click() // not without a disposition
    expect(await p.locator('dialog input[type=radio]').first().evaluate((e: HTMLInputElement) => e.validity.valueMissing)).toBe(true)
    await p.locator('dialog').getByLabel('已提供帮助').check()
    await p.locator('dialog').getByTestId('send').click()
    await timeline.getByText('已关闭').waitFor()
    await ask('reopen', () => p.locator('dialog textarea').fill('又响了'))
    await timeline.getByText('又响了').waitFor()
    await linli.api('POST', `alerts/${id}/close`, { disposition: 'test' })
    expect(b.errors).toEqual([])
  } finally {
    await b.close()
  }
})

test('what is being done about one alert is not taken away by a worse one', async () => {
  await linli.api('POST', 'communities', { id: 'quiet', name: { zh: '安静小区', en: 'Quiet' } }) // nothing else happens there
  const { secret } = await linli.api<{ secret: string }>('POST', 'devices', { id: 'jam-1', community: 'quiet', type: 'waste_station', name: '环保驿站9号' })
  const press = await linli.band('jam-2', 'quiet')
  const b = await Browser.open(linli)
  const p = b.page
  try {
    await b.enter(linli)
    await p.getByTestId('community').selectOption('quiet')
    linli.publish('jam-1', secret, 'linli/event/quiet/waste_station/jam-1/door_jammed', '{"inlet": "2", "attempts": 3}')
    await row(b, 'jam-1').waitFor()
    await p.getByTestId('detail').getByRole('link', { name: (await of('jam-1'))[0]!.name.zh }).waitFor()
    await p.getByTestId('detail').getByTestId('comment').click()
    await p.locator('dialog textarea').fill('师傅在路上')
    press()
    await until(async () => (await of('jam-2')).length)
    await row(b, 'jam-2').waitFor()
    await p.locator('dialog').getByTestId('send').click()
    await p.getByTestId('detail').getByText('师傅在路上').waitFor()
    const { history } = await linli.api<{ history: { note?: string }[] }>('GET', 'alerts/' + (await of('jam-1'))[0]!.id)
    expect(history.map(e => e.note)).toContain('师傅在路上')
    expect(b.errors).toEqual([])
  } finally {
    await b.close()
  }
})

test('a new alert is heard, and not by who has switched the sound off', async () => {
  const [one, two] = [await linli.band('loud-1'), await linli.band('loud-2')]
  const b = await Browser.open(linli)
  const p = b.page
  try {
    await p.addInitScript(() => {
      const w = window as unknown as { tones: number }
      w.tones = 0
      const make = AudioContext.prototype.createOscillator
      AudioContext.prototype.createOscillator = function () { w.tones++; return make.call(this) }
    })
    const tones = () => p.evaluate(() => (window as unknown as { tones: number }).tones)
    await b.enter(linli)
    await p.locator('.link.live').waitFor()
    await p.getByTestId('counts').waitFor()
    const before = await tones()
    one()
    await row(b, 'loud-1').waitFor()
    expect(await tones()).toBeGreaterThanOrEqual(before + 6) // more if the demo has something to tell too
    const waiting = async () => Number(await p.getByTestId('waiting-board').first().innerText())
    await until(async () => (await p.title()).startsWith(`(${await waiting()}) `))
    const were = await waiting()
    await p.keyboard.press('s')
    const heard = await tones()
    two()
    await row(b, 'loud-2').waitFor()
    await until(async () => await waiting() > were)
    expect(await tones()).toBe(heard)
    for (const id of ['loud-1', 'loud-2']) await linli.api('POST', `alerts/${(await of(id))[0]!.id}/close`, { disposition: 'test' })
    expect(b.errors).toEqual([])
  } finally {
    await b.close()
  }
})
