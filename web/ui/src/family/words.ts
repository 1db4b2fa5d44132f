// The words of the family page that are seen first, large and plain. The others are in more.ts and come later.

import { computed, ref } from 'vue'
import type { Text } from '../types'

export const zh = {
  fine: '{name}：一切正常。', quiet: '{name}：较长时间没有活动。', away: '{name}：外出中。', alarm: '{name}需要帮助！', alarmOther: '有人需要帮助！', notice: '{name}：{what}。', noticeOther: '{what}。', taken: '{who}已在处理。', mine: '您已回应，请尽快前往。',
  over: '此事已处理完毕。', passed: '已经恢复正常。', unknown: '{name}：还没有活动记录。', calm: '{name}：没有未处理的求救。',
  active: '{span}前有活动', until: '外出至 {day}', since: '{time}，{span}前', now: '刚刚有活动', hidden: '活动情况没有向您共享。',
  go: '我去看看', cannot: '我去不了', sending: '正在发送…', waiting: '网络不通，正在自动重试，不用重复按。', went: '已告知大家：您去看看。', stayed: '已告知大家：您去不了。', changed: '情况已变化，请看上面的最新状态。',
  call: '打电话给{name}', desk: '物业值班', emergency: '拨打 120', script: '拨打 120 时可以这样说', told: '已通知', nobody: '暂未通知其他人。',
  going: '去看看', declined: '去不了', family: '家属', staff: '物业',
  you: '您好，{name}', bad: '这个链接已失效。', badHint: '链接在通知发出 24 小时后失效；已不是联系人的，也不能再打开。请使用最新一条通知里的链接，或联系物业值班室。情况紧急请直接拨打 120。', offline: '网络不通，下面是 {time} 的情况，正在重试…', lost: '网络不通，正在重试…', loading: '正在加载…', other: 'English', retry: '再试一次', wanted: '请填写这一项',
  minutes: '{n} 分钟', hours: '{n} 小时', days: '{n} 天',
}

export const en: typeof zh = {
  fine: '{name}: fine.', quiet: '{name}: no activity for a long time.', away: '{name}: away.', alarm: '{name} needs help!', alarmOther: 'Somebody needs help!', notice: '{name}: {what}.', noticeOther: '{what}.', taken: '{who} looks after it.', mine: 'You have answered. Please go as soon as you can.',
  over: 'This is over.', passed: 'It has passed.', unknown: '{name}: no activity recorded yet.', calm: '{name}: no open call for help.',
  active: 'Last active {span} ago', until: 'Away until {day}', since: '{time}, {span} ago', now: 'Active just now', hidden: 'Activity is not shared with you.',
  go: 'I am going', cannot: 'I cannot go', sending: 'Sending…', waiting: 'No network. Trying again by itself, no need to press again.', went: 'Everybody is told: you are going.', stayed: 'Everybody is told: you cannot go.', changed: 'Things have changed, please see above.',
  call: 'Call {name}', desk: 'Property desk', emergency: 'Call 120', script: 'What to say to 120', told: 'Told', nobody: 'Nobody else was told yet.',
  going: 'is going', declined: 'cannot go', family: 'Family', staff: 'Property',
  you: 'Hello {name}', bad: 'This link is no longer good.', badHint: 'A link is good for 24 hours, and for those who are among the contacts. Use the link of the latest message, or call the duty desk. If it is urgent, call 120.', offline: 'No network. This is how it was at {time}, trying again…', lost: 'No network, trying again…', loading: 'Loading…', other: '中文', retry: 'Try again', wanted: 'Please fill this in',
  minutes: '{n} min', hours: '{n} h', days: '{n} days',
}

export const language = ref<'zh' | 'en'>((localStorage.getItem('linli.language') ?? (navigator.language.startsWith('en') ? 'en' : 'zh')) === 'en' ? 'en' : 'zh')
const say = () => { document.documentElement.lang = language.value === 'en' ? 'en' : 'zh-CN' }
say()

export function other() {
  language.value = language.value === 'en' ? 'zh' : 'en'
  localStorage.setItem('linli.language', language.value)
  say()
}

export const words = computed(() => language.value === 'en' ? en : zh)
export const fill = (text: string, values: Record<string, string | number>) => text.replace(/\{(\w+)\}/g, (_, k: string) => String(values[k] ?? ''))
export const pick = (t?: Text) => (t && (language.value === 'en' ? t.en || t.zh : t.zh || t.en)) || ''

const show = (t: string | number, how: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(language.value === 'en' ? 'en-GB' : 'zh-CN', how).format(new Date(t))

/** clock is the time of day, with the date unless it is today. */
export function clock(t: string | number): string {
  const today = new Date(t).toDateString() === new Date().toDateString()
  return show(t, { hour: '2-digit', minute: '2-digit', hour12: false, ...today ? {} : { month: 'numeric', day: 'numeric' } })
}

export const day = (t: string | number) => show(t, { month: 'long', day: 'numeric', weekday: 'short' })

export function span(ms: number): string {
  const minutes = Math.max(1, Math.floor(ms / 60e3))
  if (minutes < 60) return fill(words.value.minutes, { n: minutes })
  if (minutes < 48 * 60) return fill(words.value.hours, { n: Math.floor(minutes / 60) })
  return fill(words.value.days, { n: Math.floor(minutes / 1440) })
}
