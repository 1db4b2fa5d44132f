// What has happened on a server before its pages are looked at, and the addresses of pages that show one thing.

import type { Page } from '../src/pages'
import type { Alert, Device, Person } from '../src/types'
import { until, type Linli } from './linli'

export interface Things { alert: string, device: string, person: string }

const inAnHour = () => new Date(Date.now() + 3600e3).toISOString()

// One device each that opens an alert at once, of every severity but the lowest: by an event, or by a reading.
const trouble: [id: string, community: string, type: string, name: string, place: object, event: string, payload: object][] = [
  ['story-smoke', 'tianjin', 'smoke_detector', '3层楼道烟感', { estate: 'e2', building: 'b05', unit: 'u1' }, '', { smoke: true, obscuration_db_per_m: 0.42, temperature_c: 41 }],
  ['story-charger', 'zhuhai', 'ev_charger', '地库12号充电桩', {}, 'emergency_stop', { connector: '1' }],
  ['story-door', 'nantong', 'access_controller', '2栋前门门禁', {}, 'door_forced', { door: 'main' }],
  ['story-station', 'tianjin', 'waste_station', '环保驿站8号', { estate: 'e6' }, 'door_jammed', { inlet: '2', attempts: 3 }],
  ['story-bay', 'ningbo', 'parking_sensor', '无障碍车位3号', {}, 'misuse', { kind: 'no_permit_on_disabled_bay' }],
  ['story-bus', 'zhuhai', 'bus_tracker', 'Z12微公交2号', {}, '', { delay_s: 420 }],
]

/** story makes a day of a duty desk: an elder and a resident press, six devices ask for attention, some of it is already seen to. */
export async function story(linli: Linli): Promise<Things> {
  const { people } = await linli.api<{ people: Person[] }>('GET', 'people?role=elder')
  const elder = people.find(p => p.home && p.circle?.length) ?? people[0]
  for (const [id, community, type, name, place, event, payload] of trouble) {
    const { secret } = await linli.api<{ secret: string }>('POST', 'devices', { id, community, type, name, place })
    linli.publish(id, secret, event ? `linli/event/${community}/${type}/${id}/${event}` : `linli/telemetry/${community}/${type}/${id}`, JSON.stringify(payload))
  }
  await mornings(linli, people)
  const first = await linli.band('story-1', 'tianjin', '张奶奶的手环', { estate: 'e3', building: 'b07', unit: 'u2' })
  const second = await linli.band('story-2', elder?.community, `${elder?.name}的手环`, { estate: 'e1', building: 'b01', unit: 'u1' }, elder?.id)
  first()
  second()
  const alerts = await until(async () => {
    const { alerts } = await linli.api<{ alerts: Alert[] }>('GET', 'alerts')
    const mine = alerts.filter(a => a.device.startsWith('story-'))
    return new Set(mine.map(a => a.device)).size === trouble.length + 2 ? mine : undefined
  })
  const of = (device: string) => alerts.find(a => a.device === device)!.id
  await linli.api('POST', `alerts/${of('story-2')}/acknowledge`, { by: '陈伟', note: '已电话联系，本人说不小心碰到，保安正上门确认' })
  await linli.api('POST', `alerts/${of('story-door')}/acknowledge`, { by: '李小琴', note: '保安已前往' })
  await linli.api('POST', `alerts/${of('story-bay')}/close`, { by: '李小琴', note: '车主已挪车' })
  await linli.api('POST', 'silences', { match: { community: 'tianjin', device: 'story-1' }, reason: '换电池', safety: true, until: inAnHour() })
  await linli.api('POST', 'maintenance', { match: { community: 'tianjin', device: 'story-station' }, reason: '投放口检修', until: inAnHour() })
  await rejected(linli)
  await linli.api('POST', 'users', { name: 'chenwei', display: '陈伟', role: 'duty', communities: ['tianjin', 'zhuhai'] })
  await linli.api('POST', 'users', { name: 'liumin', display: '刘敏', role: 'manager', communities: ['tianjin'] })
  await linli.api('POST', 'users', { name: 'audit', display: '审计组', role: 'auditor', communities: ['*'] })
  const { devices } = await linli.api<{ devices: Device[] }>('GET', 'devices?community=tianjin&type=waste_station')
  const station = devices.find(d => !d.id.startsWith('story-'))
  if (station) {
    await linli.api('POST', `devices/${station.id}/commands`, { command: 'open_door', params: { inlet: '1', hold_s: 30 } })
    await linli.api('POST', `devices/${station.id}/commands`, { command: 'play_voice', params: { text: '请分类投放' } })
  }
  return { alert: of('story-2'), device: station?.id ?? 'story-1', person: elder?.id ?? '' }
}

// The taps of each elder's home have run as they do, the last time some minutes ago; one elder more lately than the other.
async function mornings(linli: Linli, elders: Person[]) {
  for (const [i, p] of elders.entries()) {
    const id = `home-water-${i + 1}`
    const { secret } = await linli.api<{ secret: string }>('POST', 'devices', { id, community: p.community, type: 'water_meter', name: '水表', person: p.id })
    const last = Date.now() - (4 + 13 * i) * 60e3
    let volume = 86 + 11 * i // m³
    const readings = Array.from({ length: 24 }, (_, k) => {
      if (k % 3 !== 1) volume += 0.004 + 0.002 * (i % 3) // not in every half hour: that would be a leak
      return { ts: new Date(last - (23 - k) * 1800e3).toISOString(), volume_m3: Number(volume.toFixed(3)) }
    })
    linli.publish(id, secret, `linli/telemetry/${p.community}/water_meter/${id}`, JSON.stringify(readings))
  }
}

// A device whose readings cannot be stored: out of range, of a field that its type does not have, and no JSON at all.
async function rejected(linli: Linli) {
  const { secret } = await linli.api<{ secret: string }>('POST', 'devices', { id: 'story-room', community: 'tianjin', type: 'indoor_environment', name: '活动室空气质量' })
  for (const payload of ['{"co2_ppm": "很多"}', '{"co2": 640}', 'co2=640']) linli.publish('story-room', secret, 'linli/telemetry/tianjin/indoor_environment/story-room', payload)
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
