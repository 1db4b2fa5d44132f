// The words of what comes after the first view.

import { computed } from 'vue'
import { language } from './words'

export const zh = {
  body: '身体状况', ago: '{span}前', old: '较旧', notWorn: '手环未佩戴（{span}前起），下面是之前的数据。', charging: '手环正在充电（{span}前起），下面是之前的数据。', noBody: '最近一周没有数据。',
  fields: { heart_rate_bpm: '心率', spo2_pct: '血氧', pressure: '血压', body_temp_c: '体温', resp_rate_pm: '呼吸', steps_total: '今日步数', sleep_min: '睡眠' } as Record<string, string>,
  units: { '{beats}/min': '次/分', '%': '%', 'mm[Hg]': 'mmHg', 'Cel': '℃', '{breaths}/min': '次/分', '{steps}': '步', 'min': '分钟' } as Record<string, string>,
  place: '位置', inside: '在家附近。', outside: '不在家：在家的{side}方向，约 {distance}。', unplaced: '有定位，但没有登记家的位置，说不出在不在家。', noPlace: '最近一周没有定位。', fix: '{span}前的定位，误差约 {accuracy} 米。', fixPlain: '{span}前的定位。',
  sides: ['北', '东北', '东', '东南', '南', '西南', '西', '西北'], metres: '{n} 米', kilometres: '{n} 公里', north: '北', map: '从家看过去的位置：{text}', home: '家',
  hidden: '没有向您共享的内容', scopes: { events: '一般告警', wellbeing: '活动情况和每日平安', vitals: '心率、血氧等身体数据', location: '位置' } as Record<string, string>,
  ask: '想看的话：先征得{name}本人同意，再请物业在{name}的联系人里为您登记。{name}随时可以收回。求救告警不需要同意，您一定会收到。',
  away: '外出', awayHint: '外出期间不会因为家里没有动静而告警；家里用水反而会告警。求救照常。', awayLast: '最后一天', setAway: '设为外出至 {day}', isAway: '外出至 {day}（含当天）。', isAwayOpen: '外出中，没有写回来的日子。', back: '已经回来了',
  circle: '联系顺序', circleHint: '出事时按这个顺序联系。保存后会通知其他联系人。', up: '上移{name}', me: '（您）', save: '保存', undo: '恢复',
  well: '每日报平安', wellHint: '每天到这个时间报一次平安；没有活动就会告警。', at: '时间', end: '不再报平安', wellNone: '目前没有设置。',
  calls: '您怎么称呼{name}', callsHint: '只有您自己看到，例如：妈妈。', saved: '已保存。', failed: '没有保存成功，请再试一次。', conflict: '联系人刚刚有变化，请重新排列。',
  log: '谁看过、谁改过', logNone: '还没有记录。', viewed: '看了', change: '改了',
  what: { events: '告警', wellbeing: '活动情况', vitals: '身体数据', location: '位置', page: '本页', readings: '设备数据', record: '登记信息', away: '外出', order: '联系顺序', well: '报平安时间', calls: '称呼', answer: '对告警的回应' } as Record<string, string>,
  roles: { family: '家属', duty: '值班', manager: '物业经理', caretaker: '护理员', admin: '管理员', auditor: '审计' } as Record<string, string>,
  relation: { daughter: '女儿', son: '儿子', spouse: '配偶', neighbour: '邻居', friend: '朋友', grandchild: '孙辈', sibling: '兄弟姐妹', relative: '亲属' } as Record<string, string>,
  user: '用户名', password: '密码', enter: '登录', wrong: '用户名或密码不对。', tooMany: '试得太多了，请过一会儿再试。', lost: '网络不通，请再试一次。', fresh: '新密码（至少 10 个字符）', freshHint: '这是第一次登录，请换成自己的密码。', weak: '这个密码不行：{why}', logout: '退出登录', nobody: '还没有人为您登记要照看的长者，请联系物业。', which: '您照看的人', notFamily: '这个页面是给家属用的。', toStaff: '去工作人员页面',
}

export const en: typeof zh = {
  body: 'Health', ago: '{span} ago', old: 'old', notWorn: 'The band is not worn (since {span} ago). Below is what came before.', charging: 'The band is being charged (since {span} ago). Below is what came before.', noBody: 'Nothing came in the last week.',
  fields: { heart_rate_bpm: 'Heart rate', spo2_pct: 'Blood oxygen', pressure: 'Blood pressure', body_temp_c: 'Temperature', resp_rate_pm: 'Breathing', steps_total: 'Steps today', sleep_min: 'Sleep' },
  units: { '{beats}/min': '/min', '%': '%', 'mm[Hg]': 'mmHg', 'Cel': '°C', '{breaths}/min': '/min', '{steps}': '', 'min': 'min' },
  place: 'Place', inside: 'Near home.', outside: 'Not at home: about {distance} {side} of home.', unplaced: 'There is a position, but where home is has not been registered.', noPlace: 'No position in the last week.', fix: 'As of {span} ago, within about {accuracy} m.', fixPlain: 'As of {span} ago.',
  sides: ['north', 'north-east', 'east', 'south-east', 'south', 'south-west', 'west', 'north-west'], metres: '{n} m', kilometres: '{n} km', north: 'N', map: 'Seen from home: {text}', home: 'Home',
  hidden: 'Not shared with you', scopes: { events: 'ordinary alerts', wellbeing: 'activity and the daily line', vitals: 'heart rate, blood oxygen and the like', location: 'place' },
  ask: 'To see more: ask {name} first, then let the property office note it with the contacts of {name}, who may take it back at any time. Calls for help need no consent: you are always told.',
  away: 'Away', awayHint: 'While away, nobody is alarmed because it is quiet at home; water that runs there is an alert. Calls for help work as ever.', awayLast: 'Last day', setAway: 'Set away until {day}', isAway: 'Away until {day} (that day included).', isAwayOpen: 'Away, with no day of return.', back: 'Back home',
  circle: 'Contact order', circleHint: 'Who is called, in this order, when something happens. The others are told when you save.', up: 'Move {name} up', me: ' (you)', save: 'Save', undo: 'Undo',
  well: 'Daily all-is-well', wellHint: 'A line every day at this hour; without activity there is an alert instead.', at: 'Hour', end: 'No daily line', wellNone: 'None at present.',
  calls: 'What you call {name}', callsHint: 'Only you see it, for instance: Mother.', saved: 'Saved.', failed: 'That was not saved, please try again.', conflict: 'The contacts have just changed, please order them again.',
  log: 'Who looked, who changed what', logNone: 'Nothing yet.', viewed: 'saw', change: 'changed',
  what: { events: 'alerts', wellbeing: 'activity', vitals: 'health', location: 'place', page: 'this page', readings: 'readings', record: 'the record', away: 'away', order: 'the contact order', well: 'the daily hour', calls: 'a name', answer: 'an answer to an alert' },
  roles: { family: 'family', duty: 'duty', manager: 'manager', caretaker: 'caretaker', admin: 'administrator', auditor: 'auditor' },
  relation: { daughter: 'daughter', son: 'son', spouse: 'spouse', neighbour: 'neighbour', friend: 'friend', grandchild: 'grandchild', sibling: 'sibling', relative: 'relative' },
  user: 'User', password: 'Password', enter: 'Log in', wrong: 'The user or the password is wrong.', tooMany: 'Too many tries, please wait a while.', lost: 'No network, please try again.', fresh: 'New password (at least 10 characters)', freshHint: 'This is the first login: please choose a password of your own.', weak: 'Not this password: {why}', logout: 'Log out', nobody: 'Nobody has been registered for you to look after yet. Please ask the property office.', which: 'Those you look after', notFamily: 'This page is for families.', toStaff: 'To the staff pages',
}

export const more = computed(() => language.value === 'en' ? en : zh)
