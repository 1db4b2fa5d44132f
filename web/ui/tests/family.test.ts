// What a daughter does with the link of a message on her phone, on the built binary with the demo communities.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Browser, type Look } from './browser'
import { Hook } from './hook'
import { Kin } from './kin'
import { Linli, until } from './linli'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const phone: Look = { width: 360, height: 740, touch: true }
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

interface Violation { id: string, impact: string, nodes: { html: string }[] }

async function sound(b: Browser, what: string) {
  await b.page.evaluate(axe)
  const { violations } = await b.page.evaluate(() => (window as unknown as { axe: { run: (o: unknown) => Promise<{ violations: Violation[] }> } }).axe.run({ resultTypes: ['violations'] }))
  expect(violations.filter(v => v.impact === 'serious' || v.impact === 'critical').map(v => `${what}: ${v.id}: ${v.nodes[0]?.html}`)).toEqual([])
  const wide = await b.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  expect(wide, `${what}: wider than the window`).toBeLessThanOrEqual(0)
}

test('SOS, message, link, "I am going": the desk sees it within a second', async () => {
  const kin = await Kin.join(linli, hook, 'sos')
  const [desk, b] = [await Browser.open(linli), await Browser.open(linli, phone)]
  try {
    await desk.enter(linli)
    await desk.page.locator('.link.live').waitFor()
    const link = await kin.press()
    await fetch(link) // a preview of the chat that the message came by
    await fetch(link, { method: 'HEAD' })
    expect((await kin.alert()).family_ack_by).toBeUndefined()
    await b.page.goto(link)
    await b.page.getByTestId('state').getByText('妈妈需要帮助').waitFor()
    await sound(b, 'alarm')
    const row = desk.page.locator('[data-testid=alert]', { hasText: '手环求救' })
    await row.waitFor()
    const pressed = Date.now()
    await b.page.getByTestId('go').dblclick()
    await row.getByText('家属').waitFor()
    console.log(`"I am going" is on the board after ${Date.now() - pressed} ms`)
    await b.page.getByTestId('state').getByText('您已回应').waitFor()
    const { history } = await linli.api<{ history: { kind: string }[] }>('GET', 'alerts/' + (await kin.alert()).id)
    expect(history.filter(e => e.kind === 'family_acknowledged').length).toBe(1)
    await b.page.getByTestId('cannot').click()
    await b.page.getByTestId('state').getByText('妈妈需要帮助').waitFor()
    await b.page.getByText('去不了', { exact: false }).first().waitFor()
    await kin.end()
    await b.page.locator('.state:not(.alarm)').waitFor()
    await b.page.getByTestId('over').getByText('此事已处理完毕').waitFor()
    expect([...b.errors, ...desk.errors]).toEqual([])
    expect([...b.foreign, ...desk.foreign]).toEqual([])
  } finally {
    await b.close()
    await desk.close()
  }
})

test('an answer given without a network is sent once, when there is one again', async () => {
  const kin = await Kin.join(linli, hook, 'offline')
  const b = await Browser.open(linli, { ...phone, language: 'en', theme: 'dark' })
  try {
    await b.page.goto(await kin.press())
    await b.page.getByTestId('go').waitFor()
    await b.context.setOffline(true)
    await b.page.getByTestId('go').click()
    await b.page.getByText('No network. Trying again').waitFor()
    await b.page.getByText('This is how it was at').waitFor()
    await b.context.setOffline(false)
    await b.page.getByTestId('state').getByText('You have answered').waitFor()
    const { history } = await linli.api<{ history: { kind: string }[] }>('GET', 'alerts/' + (await kin.alert()).id)
    expect(history.filter(e => e.kind === 'family_acknowledged').length).toBe(1)
    await kin.end()
  } finally {
    await b.close()
  }
})

test('a link opened without a network says so, and opens once there is one', async () => {
  const kin = await Kin.join(linli, hook, 'lift')
  const b = await Browser.open(linli, phone)
  try {
    const link = await kin.press()
    await b.page.goto(link)
    await b.page.getByTestId('go').waitFor()
    await b.page.waitForFunction(async () => (await navigator.serviceWorker.getRegistrations()).filter(r => r.active).length === 2)
    expect(await b.page.evaluate(() => caches.keys())).toEqual([]) // nothing is kept
    for (const address of [link, b.page.url()]) {
      await b.page.goto('about:blank')
      await b.context.setOffline(true)
      await b.page.goto(address)
      await b.page.getByRole('heading', { name: '网络不通' }).waitFor()
      expect(await b.page.evaluate(() => getComputedStyle(document.querySelector('button')!).backgroundColor)).toBe('rgb(11, 116, 106)')
      await b.page.getByRole('button', { name: 'Try again' }).click()
      await b.page.getByRole('heading', { name: 'No network' }).waitFor()
      await b.context.setOffline(false)
      await b.page.getByTestId('go').waitFor()
    }
    expect(b.errors.filter(e => !/ERR_INTERNET_DISCONNECTED|status of 503|localStorage/.test(e))).toEqual([]) // about:blank has no storage
    await kin.end()
  } finally {
    await b.close()
  }
})

test('she sees what her mother shares, sets her away, and orders the circle', async () => {
  const kin = await Kin.join(linli, hook, 'shares')
  const b = await Browser.open(linli, phone)
  try {
    await kin.measure(860)
    const link = await kin.press()
    await kin.end()
    await b.page.goto(link)
    await b.page.getByTestId('body').getByText('128/79').waitFor()
    await b.page.getByTestId('place').getByText('东方向，约 860 米').waitFor()
    await b.page.getByTestId('state').getByText(/一切正常。\s*(刚刚有活动|\d+ 分钟前有活动)/).waitFor()
    await sound(b, 'fine')

    await b.page.getByRole('button', { name: '设为外出' }).click()
    await b.page.getByTestId('state').getByText('妈妈：外出中').waitFor()
    expect((await kin.person()).away).toBe(true)
    const home = await Kin.join(linli, hook, 'home')
    await home.wash()
    await kin.wash()
    await until(async () => (await kin.rules()).includes('wm_away_use'))
    expect(await home.rules()).not.toContain('wm_away_use')
    await b.page.reload()
    await b.page.getByTestId('state').getByText('妈妈：外出期间用水。').waitFor()
    await b.page.getByTestId('back').click()
    await b.page.getByRole('button', { name: '设为外出' }).waitFor()
    expect((await kin.person()).away).toBe(false)

    const before = (await kin.person()).circle!.map(m => m.person)
    await b.page.getByTestId('circle').getByRole('button', { name: '上移' }).first().click()
    await b.page.getByTestId('order').click()
    await b.page.getByTestId('circle').getByText('已保存').waitFor()
    expect((await kin.person()).circle!.map(m => m.person)).toEqual([before[1], before[0], ...before.slice(2)])
    await until(async () => (await linli.api<{ alerts: { rule: string, person: string }[] }>('GET', 'alerts')).alerts.some(a => a.rule === 'contact_order' && a.person === kin.elder))

    const well = b.page.getByTestId('well')
    await well.locator('select').selectOption('07:30')
    await well.getByRole('button', { name: '保存' }).click()
    await well.getByText('已保存').waitFor()
    expect((await kin.person()).all_is_well).toEqual({ at: '07:30' })
    await well.getByRole('button', { name: '不再报平安' }).click()
    await well.getByText('目前没有设置').waitFor()
    expect((await kin.person()).all_is_well).toBeUndefined()

    await linli.api('GET', 'elders?community=tianjin') // a list that she is in
    await b.page.getByTestId('log').locator('summary').click()
    await b.page.getByTestId('log').getByText('改了联系顺序').waitFor()
    await b.page.getByTestId('log').locator('li', { hasText: 'admin' }).getByText('看了活动情况、身体数据').waitFor()
    await sound(b, 'all of it')

    await b.page.getByTestId('language').click()
    await b.page.getByTestId('state').getByText('Water used').waitFor()
    await sound(b, 'in English')
    await b.page.evaluate(() => { document.documentElement.style.fontSize = '225%' })
    await sound(b, 'twice as large')

    await kin.agree()
    await b.page.reload()
    await b.page.getByTestId('hidden').getByText('heart rate').waitFor()
    expect(await b.page.getByTestId('body').count() + await b.page.getByTestId('place').count() + await b.page.getByTestId('away').count()).toBe(0)
    await sound(b, 'nothing shared')
    expect(b.errors).toEqual([])
    expect(b.foreign).toEqual([])
  } finally {
    await b.close()
  }
})

test('with an account she logs in on the same page', async () => {
  const kin = await Kin.join(linli, hook, 'account')
  const { password } = await linli.api<{ password: string }>('POST', 'users', { name: 'fang', role: 'family', elders: [kin.elder], person: kin.daughter })
  const b = await Browser.open(linli, phone)
  try {
    await b.page.goto(linli.url + '/family.html')
    await b.page.locator('input[name=user]').fill('fang')
    await b.page.locator('input[name=password]').fill(password)
    await b.page.keyboard.press('Enter')
    await b.page.locator('input[name=fresh]').fill('女儿自己的一个长密码 2026')
    await sound(b, 'first login')
    await b.page.keyboard.press('Enter')
    await b.page.getByTestId('state').getByText('妈妈').waitFor()
    await b.page.getByTestId('calls').waitFor()
    await sound(b, 'with an account')
    await b.page.getByTestId('logout').click()
    await b.page.locator('input[name=user]').waitFor()
    expect(b.foreign).toEqual([])
  } finally {
    await b.close()
  }
})

test.each([['zh', '这个链接已失效', '没有未处理的求救'], ['en', 'This link is no longer good', 'no open call for help']] as const)('what is not hers any more is said in words, in %s', async (language, bad, calm) => {
  const kin = await Kin.join(linli, hook, 'ended-' + language)
  const b = await Browser.open(linli, { ...phone, language })
  const large = async (what: string) => {
    await b.page.evaluate(() => { document.documentElement.style.fontSize = '225%' })
    await sound(b, what)
    await b.page.evaluate(() => { document.documentElement.style.fontSize = '' })
  }
  try {
    const link = await kin.press()
    await b.page.goto(link)
    await b.page.getByTestId('cannot').click()
    await b.page.getByTestId('how').waitFor()
    await large('cannot go')
    await kin.end()
    await kin.agree()
    await b.page.getByTestId('state').getByText(calm).waitFor()
    await large('consent ended')
    await linli.api('POST', `people/${kin.daughter}/revoke-links`)
    await b.page.reload()
    await b.page.getByText(bad).waitFor()
    await large('link ended, on the open page')
    await b.page.goto('about:blank')
    const answer = await b.page.goto(link)
    expect(answer!.status()).toBe(404)
    await b.page.getByText(bad).waitFor()
    await sound(b, 'link ended')
  } finally {
    await b.close()
  }
})

test('the demo has a daughter who sees all of it', async () => {
  const elder = 'hegang-home-001-elder'
  const { password } = await linli.api<{ password: string }>('POST', 'users', { name: 'demo', role: 'family', elders: [elder], person: elder + '-daughter' })
  const b = await Browser.open(linli, phone)
  try {
    await b.page.goto(linli.url + '/family.html')
    await b.page.locator('input[name=user]').fill('demo')
    await b.page.locator('input[name=password]').fill(password)
    await b.page.keyboard.press('Enter')
    await b.page.locator('input[name=fresh]').fill('女儿自己的一个长密码 2026')
    await b.page.keyboard.press('Enter')
    await b.page.getByTestId('state').getByText('妈妈').waitFor()
    await until(async () => { // each band makes its first report within the first minute
      await b.page.reload()
      await b.page.getByTestId('place').waitFor()
      return b.page.getByTestId('place').locator('svg').isVisible()
    }, 70_000)
    expect(await b.page.getByTestId('body').innerText()).toContain('心率')
    expect(await b.page.getByTestId('hidden').count()).toBe(0)
  } finally {
    await b.close()
  }
})

test('the first view is small', async () => {
  const kin = await Kin.join(linli, hook, 'slow')
  const link = await kin.press()
  const b = await Browser.open(linli, phone)
  try {
    const cdp = await b.context.newCDPSession(b.page)
    await cdp.send('Network.enable')
    await cdp.send('Network.emulateNetworkConditions', { offline: false, latency: 100, downloadThroughput: 750e3 / 8, uploadThroughput: 250e3 / 8 })
    await b.page.goto(link, { waitUntil: 'commit' })
    await b.page.getByTestId('state').waitFor()
    // The answer of the server is there before the script is, so the first thing drawn is the state.
    const shown = await b.page.evaluate(() => Math.round(performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0))
    const dist = resolve(import.meta.dirname, '../../dist')
    const html = readFileSync(join(dist, 'family.html'), 'utf8')
    const first = ['family.html', ...[...html.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(m => m[1]!).filter(n => !n.endsWith('.svg'))]
    const sizes = first.map((name) => {
      const packed = readdirSync(join(dist, name, '..')).includes(name.split('/').pop()! + '.gz')
      return statSync(join(dist, name + (packed ? '.gz' : ''))).size
    })
    const total = sizes.reduce((a, b) => a + b, 0)
    console.log(`family page: first view ${total} bytes in ${first.length} files; drawn ${shown} ms after the link was opened at 750 kbit/s and 100 ms`)
    expect(total).toBeLessThan(50 * 1024)
    await kin.end()
  } finally {
    await b.close()
  }
})
