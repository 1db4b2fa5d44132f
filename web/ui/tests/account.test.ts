// Accounts: what an administrator makes, and what somebody does with their own: password, sessions, tokens.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { Browser } from './browser'
import { Linli } from './linli'

let linli: Linli
beforeAll(async () => { linli = await Linli.start() })
afterAll(async () => { await linli.close() })

async function login(b: Browser, name: string, password: string) {
  await b.page.goto(linli.url + '/#/account')
  await b.page.locator('#user').fill(name)
  await b.page.locator('#password').fill(password)
  await b.page.keyboard.press('Enter')
}

test('an account is made, used, scoped and shut', async () => {
  const [admin, a, c] = [await Browser.open(linli), await Browser.open(linli), await Browser.open(linli, { language: 'en', width: 360 })]
  try {
    await admin.enter(linli, '/users')
    await admin.page.getByTestId('add').click()
    await admin.page.getByTestId('name').fill('wang')
    await admin.page.getByTestId('save').click()
    await admin.page.locator('dialog [role=alert]').waitFor() // duty wants a community
    await admin.page.locator('dialog .choices input').nth(1).check()
    await admin.page.getByTestId('save').click()
    const given = (await admin.page.getByTestId('password').textContent())!
    await admin.page.keyboard.press('Escape')

    const own = '王师傅的好密码 2026'
    await login(a, 'wang', given)
    await a.page.locator('#fresh').fill(own)
    await a.page.locator('#again').fill(own)
    await a.page.keyboard.press('Enter')
    await a.page.getByTestId('sessions').waitFor()

    await login(c, 'wang', own) // on a phone too
    await c.page.getByTestId('sessions').waitFor()
    await a.page.reload()
    await a.page.getByTestId('end-session').click()
    await a.page.getByTestId('end-session').waitFor({ state: 'detached' })
    await c.page.reload()
    await c.page.locator('#user').waitFor() // that session has ended

    await a.page.getByTestId('add-token').click()
    await a.page.getByTestId('token-name').fill('大屏')
    await a.page.getByTestId('scope-alerts').selectOption('read')
    await a.page.getByTestId('make').click()
    const secret = (await a.page.getByTestId('secret').textContent())!
    const ask = (path: string) => fetch(`${linli.url}/api/v1/${path}`, { headers: { Authorization: 'Bearer ' + secret } }).then(r => r.status)
    expect(await ask('alerts')).toBe(200)
    expect(await ask('devices')).toBe(403)
    await a.page.keyboard.press('Escape')
    await a.page.getByTestId('end-token').click()
    await a.page.getByTestId('sure').click()
    await a.page.getByTestId('end-token').waitFor({ state: 'detached' })
    expect(await ask('alerts')).toBe(401)

    await login(c, 'wang', own)
    await c.page.getByTestId('sessions').waitFor()
    await a.page.getByTestId('old').fill('wrong wrong wrong')
    await a.page.getByTestId('now').fill('another good one 2027')
    await a.page.getByTestId('again').fill('another good one 2027')
    await a.page.getByTestId('save-password').click()
    await a.page.locator('.wrong [role=alert]').waitFor()
    await a.page.getByTestId('old').fill(own)
    await a.page.getByTestId('save-password').click()
    await a.page.getByTestId('changed').waitFor()
    await c.page.reload()
    await c.page.locator('#user').waitFor()

    await admin.page.reload()
    const row = admin.page.getByRole('row', { name: /^wang/ })
    await row.getByTestId('shut').click()
    await admin.page.getByTestId('sure').click()
    await row.getByText('已停用').waitFor()
    await a.page.reload()
    await a.page.locator('#user').waitFor()
    expect(admin.errors.filter(e => !/status of 400/.test(e))).toEqual([])
  } finally {
    for (const b of [admin, a, c]) await b.close()
  }
})
