// What has happened on a server before its pages are looked at, and the addresses of pages that show one thing.

import type { Page } from '../src/pages'
import type { Alert, Device, Person } from '../src/types'
import { until, type Linli } from './linli'

export interface Things { alert: string, device: string, person: string }

/** story presses two buttons and acknowledges one alert, so that no page is empty. */
export async function story(linli: Linli): Promise<Things> {
  const first = await linli.band('story-1', 'tianjin', '张奶奶的手环', { estate: 'e3', building: 'b07', unit: 'u2' })
  const second = await linli.band('story-2', 'hegang', '李爷爷的手环')
  first()
  second()
  const alerts = await until(async () => {
    const { alerts } = await linli.api<{ alerts: Alert[] }>('GET', 'alerts')
    return alerts.filter(a => a.device.startsWith('story-')).length === 2 ? alerts : undefined
  })
  await linli.api('POST', `alerts/${alerts.find(a => a.device === 'story-2')!.id}/acknowledge`, { note: '已电话联系' })
  await linli.api('POST', 'silences', {
    match: { community: 'tianjin', device: 'story-1' }, reason: '换电池', safety: true, until: new Date(Date.now() + 3600e3).toISOString(),
  })
  const { devices } = await linli.api<{ devices: Device[] }>('GET', 'devices?community=tianjin&type=waste_station&limit=1')
  if (devices[0]) {
    await linli.api('POST', `devices/${devices[0].id}/commands`, { command: 'open_door', params: { inlet: '1', hold_s: 30 } })
    await linli.api('POST', `devices/${devices[0].id}/commands`, { command: 'play_voice', params: { text: '请分类投放' } })
  }
  const { people } = await linli.api<{ people: Person[] }>('GET', 'people?role=elder')
  return { alert: alerts.find(a => a.device === 'story-1')!.id, device: devices[0]?.id ?? 'story-1', person: people[0]?.id ?? '' }
}

/** channels are of every sort that a page may show. Nobody listens there, and nothing is sent unless somebody tests one. */
export const channels = [
  { name: 'ops', type: 'webhook', url: 'http://127.0.0.1:9/hook', secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', allow_private_addresses: true },
  { name: 'desk-mail', type: 'smtp', host: '127.0.0.1', port: 9, from: 'linli@estate.example', to: 'desk@estate.example', allow_private_addresses: true },
  { name: 'desk-group', type: 'dingtalk_robot', url: 'http://127.0.0.1:9', token: '0'.repeat(64), secret: 'SEC000000000000000000000', allow_private_addresses: true },
]

const scenes = ['energy', 'waste', 'charging', 'elders', 'safety', 'access', 'environment', 'bus']

/** fillPath are the addresses under which a page is looked at, and what to call each. */
export function fillPath(page: Page, things: Things): [string, string][] {
  if (page.name === 'scene') return scenes.map(s => ['/scenes/' + s, 'scene-' + s])
  return [[page.path.replace(':id', { alert: things.alert, device: things.device, person: things.person, rule: 'ws_overflow' }[page.name as 'alert'] ?? ''), page.name]]
}
