// An elder in one of the demo communities with a daughter who is told at the hook, and a band that the tests press.

import type { Hook } from './hook'
import { until, type Linli } from './linli'

interface Member { person: string, relation: string, calls?: string, consent?: { scope: string, since: string }[] }
interface Person { id: string, community: string, name: string, circle?: Member[], reach?: { channel: string }[] }

export const scopes = ['events', 'wellbeing', 'vitals', 'location']
const consent = (to: string[]) => to.map(scope => ({ scope, since: '2026-01-01T00:00:00Z' }))
const home = { lat: 39.1, lon: 117.7 }

export class Kin {
  private constructor(private linli: Linli, private hook: Hook, readonly elder: string, readonly daughter: string, private band: string, private secret: string) {}

  /** join registers an elder in tianjin with a circle of three, of whom the daughter is told at the hook. */
  static async join(linli: Linli, hook: Hook, id: string): Promise<Kin> {
    const put = (person: string, record: object) => linli.api('PUT', `people/${id}-${person}`, { community: 'tianjin', ...record })
    await put('daughter', { name: '王芳', roles: ['contact'], phone: '+99900000011', reach: [{ channel: 'sms' }] })
    await put('son', { name: '王强', roles: ['contact'], phone: '+99900000012', reach: [{ channel: 'sms' }] })
    await put('neighbour', { name: '李大爷', roles: ['contact'], phone: '+99900000013', reach: [{ channel: 'sms' }] })
    await put('elder', { name: '王秀兰', roles: ['elder'], phone: '+99900000010', home: '第四社区和畅园3号楼2单元501室', notes: '钥匙在物业值班室', all_is_well: { at: '09:00' }, circle: [
      { person: id + '-daughter', relation: 'daughter' }, { person: id + '-son', relation: 'son', consent: consent(['events']) }, { person: id + '-neighbour', relation: 'neighbour' },
    ] })
    for (const n of [1, 2, 3, 4]) {
      const duty = `people/tianjin-property_duty-${n}`
      await linli.api('PUT', duty, { ...await linli.api<Person>('GET', duty), reach: [{ channel: 'sms' }] })
    }
    const { secret } = await linli.api<{ secret: string }>('POST', 'devices', { id: id + '-band', community: 'tianjin', type: 'wearable_band', person: id + '-elder', name: '手环', attributes: { home_lat: home.lat, home_lon: home.lon } })
    const kin = new Kin(linli, hook, id + '-elder', id + '-daughter', id + '-band', secret)
    await kin.agree(...scopes)
    return kin
  }

  /** agree says what the daughter may see from now on. */
  async agree(...to: string[]) {
    const elder = await this.linli.api<Person>('GET', 'people/' + this.elder)
    const circle = elder.circle!.map(m => m.person === this.daughter ? { ...m, calls: '妈妈', consent: consent(to) } : m)
    await this.linli.api('PUT', 'people/' + this.elder, { ...elder, circle })
  }

  /** measure publishes what a worn band says, some metres east of home, and waits until it is stored: the family page asks once a minute. */
  async measure(east: number) {
    const topic = `linli/telemetry/tianjin/wearable_band/${this.band}`
    const ts = Date.now()
    for (const reading of [{ ts: ts - 1000, steps_total: 1200 }, {
      ts, heart_rate_bpm: 72, spo2_pct: 97, sbp_mmhg: 128, dbp_mmhg: 79, body_temp_c: 36.5, steps_total: 1320, wear_state: 'worn',
      lat: home.lat, lon: +(home.lon + east / (111195 * Math.cos(home.lat * Math.PI / 180))).toFixed(6), accuracy_m: 12,
    }]) this.linli.publish(this.band, this.secret, topic, JSON.stringify(reading))
    await until(async () => (await this.linli.api<{ values: { field: string, time: string }[] }>('GET', 'devices/' + this.band)).values.some(v => v.field === 'steps_total' && Date.parse(v.time) === ts))
  }

  /** press presses the button of the band, and returns the link that the daughter is sent. */
  async press(): Promise<string> {
    this.linli.publish(this.band, this.secret, `linli/event/tianjin/wearable_band/${this.band}/sos`, '')
    return until(async () => this.hook.link(this.daughter, 'wb_sos'))
  }

  async alert(): Promise<{ id: string, state: string, family_ack_by?: string }> {
    const { alerts } = await this.linli.api<{ alerts: { id: string, device: string, state: string }[] }>('GET', 'alerts?community=tianjin')
    return alerts.find(a => a.device === this.band)!
  }

  /** wash has a water meter of the elder tell that water runs. */
  async wash() {
    const id = this.elder + '-water'
    const { secret } = await this.linli.api<{ secret: string }>('POST', 'devices', { id, community: 'tianjin', type: 'water_meter', person: this.elder })
    const readings = [{ ts: Date.now() - 60e3, volume_m3: 10 }, { ts: Date.now(), volume_m3: 10.05 }]
    this.linli.publish(id, secret, `linli/telemetry/tianjin/water_meter/${id}`, JSON.stringify(readings))
  }

  async rules(): Promise<string[]> {
    const { alerts } = await this.linli.api<{ alerts: { rule: string, person?: string }[] }>('GET', 'alerts?community=tianjin')
    return alerts.filter(a => a.person === this.elder).map(a => a.rule)
  }

  async end() {
    await this.linli.api('POST', `alerts/${(await this.alert()).id}/close`, { disposition: 'helped' })
  }

  person = () => this.linli.api<Person & { away: boolean, all_is_well?: { at: string } }>('GET', 'people/' + this.elder)
}
