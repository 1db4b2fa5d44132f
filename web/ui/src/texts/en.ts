// The words of the pages in English.
import type zh from './zh'

const en: typeof zh = {
  name: 'linli', tagline: 'Community IoT platform',
  login: {
    title: 'Sign in', user: 'User name', password: 'Password', enter: 'Sign in', byToken: 'Sign in with a token', byPassword: 'Sign in with an account', token: 'Token',
    tokenHint: 'The administrator’s token is in the file admin.token of the server’s data directory.', wrong: 'User name or password is not right.', wrongToken: 'The token is not right.', ended: 'Your session has ended. Please sign in again.',
    change: 'Please change the first password', newPassword: 'New password', again: 'Once more', differ: 'The two are not the same.', save: 'Save and go on', old: 'Present password', tooMany: 'Too many attempts. Please try again later.',
  },
  nav: {
    board: 'Duty board', alerts: 'Alerts', devices: 'Devices', places: 'Buildings', scenes: 'Scenes', rejects: 'Rejects', rules: 'Rules', people: 'People', rota: 'Rota',
    silences: 'Silences', channels: 'Channels', users: 'Accounts', audit: 'Audit', account: 'My account', work: 'On duty', manage: 'Manage', more: 'More', main: 'Main navigation', skip: 'Skip to content',
  },
  shell: {
    all: 'All communities', community: 'Community', live: 'Live', lost: 'Connection lost, trying again', connecting: 'Connecting', soundOn: 'Alert sound: on', soundOff: 'Alert sound: off',
    theme: 'Appearance', auto: 'System', light: 'Light', dark: 'Dark', language: '中文', logout: 'Sign out', close: 'Close', menu: 'Menu', newAlert: 'New alert: {name}, {place}',
    stale: 'The connection is lost. You see the state before that; it updates itself once the connection is back.',
  },
  common: {
    loading: 'Loading…', failed: 'Could not be loaded', retry: 'Try again', unreachable: 'The server does not answer.', forbidden: 'You may not see this.', none: 'Nothing here yet', save: 'Save', cancel: 'Cancel', ok: 'OK', open: 'Open', back: 'Back',
    all: 'All', yes: 'Yes', no: 'No', more: 'Load more', search: 'Search', count: '{n} entries', of: '{n} / {total}', copied: 'Copied', copy: 'Copy', time: 'Time', note: 'Note', by: 'By', done: 'Done', notDone: 'That did not work: {reason}',
    clear: 'Clear', since: 'for {span}', ago: '{span} ago', never: 'never', delete: 'Delete', edit: 'Edit', add: 'Add', detail: 'Details', from: 'From', to: 'To', today: 'Today', remove: 'Remove',
  },
  severity: { critical: 'Critical', high: 'High', medium: 'Medium', low: 'Low', informational: 'Info' },
  state: { opened: 'Not acknowledged', acknowledged: 'Acknowledged', cleared: 'Cleared', closed: 'Closed' },
  deviceState: { active: 'Active', revoked: 'Revoked', replaced: 'Replaced' },
  category: {
    health: 'Health', fire: 'Fire', gas: 'Gas', water: 'Water', flood: 'Flood', waste: 'Waste', energy: 'Energy', charging: 'Charging', security: 'Security', access: 'Access', parking: 'Parking', environment: 'Environment', device: 'Device', service: 'Service',
    traffic: 'Traffic', electrical: 'Electrical', safety: 'Safety', mobility: 'Mobility', system: 'System', comfort: 'Comfort',
  },
  board: {
    title: 'Duty board', open: 'open', unacknowledged: 'not acknowledged', clear: 'There is no alert now', clearHint: 'A new alert appears here at once, with a sound.', pick: 'Choose an alert to see its details',
    devices: 'Devices online', rate: 'Readings / s', energy: 'Energy today', bins: 'Bins full', chargers: 'Charging', elders: 'Elders quiet', disk: 'Disk {n}% full', backlog: 'Backlog of {n}', keys: 'Keys',
    keyMove: 'choose', keyAck: 'acknowledge', keyOpen: 'open', keySound: 'sound', recent: 'Closed lately', acknowledgeAll: 'Acknowledge all', notDelivered: 'not delivered', notReady: '{role} is not ready: {reason}',
  },
  alert: {
    title: 'Alert', list: 'Alerts', acknowledge: 'Acknowledge', assign: 'Assign', comment: 'Comment', snooze: 'Snooze', close: 'Close', reopen: 'Reopen', id: 'Id', device: 'Device', person: 'Person', place: 'Place', value: 'Value', rule: 'Rule', opened: 'Opened', event: 'Event time', received: 'Received',
    count: '{n} times', late: 'Late', safety: 'Life safety', latched: 'Closed by a person only', timeline: 'What happened', told: 'Told', notTold: 'Not told', readings: 'Readings that fired it', similar: 'Similar alerts before', noSimilar: 'There were none before.', disposition: 'Disposition',
    choose: 'Choose a disposition', noteHint: 'For the next shift', acknowledgedBy: 'Acknowledged by {who}', familyGoes: '{who} of the family goes', delay: 'received {span} after it happened', why: 'Why it fired', when: 'Condition', for: 'For', basis: 'Basis', filter: 'Filter alerts', duty: 'Duty channels', nobody: 'Nobody was told.', answered: 'answered',
    assignTo: 'Assign to', snoozeFor: 'Snooze for', minutes: '{n} minutes', hours: '{n} hours', assigned: 'Assigned to {who}', snoozed: 'Snoozed until {time}', tag: 'Series', noReadings: 'No readings in this time.', attempts: 'attempt {n}', script: 'For the 120 call', together: 'with {n} others in one message', within: 'in one message with others', nobodyYet: 'Nobody has been told yet.',
  },
  disposition: { helped: 'Helped', false_press: 'Pressed by mistake', test: 'Test', false_detection: 'False detection', no_access_escalated_120: 'No access, handed to 120', duplicate: 'Duplicate', resolved: 'Resolved' },
  event: {
    opened: 'Opened', repeated: 'Happened again', confirmed: 'Confirmed', acknowledged: 'Acknowledged', cleared: 'Cleared', closed: 'Closed', escalated: 'Escalated', assigned: 'Assigned', commented: 'Comment', snoozed: 'Snoozed', raised: 'More severe', corroborated: 'Confirmed by another device', lowered: 'Less severe', reopened: 'Reopened', unanswered: 'Nobody answered', unreached: 'Could not be reached', declined: 'Cannot go', reminded: 'Asked for a sign', family_acknowledged: 'Family looks after it', renewed: 'Acknowledgement renewed', unacknowledged: 'Acknowledgement lapsed', kept: 'Telling changed', flapping: 'Flapping, telling paused',
  },
  held: { late: 'late alerts are not delivered', synthetic: 'self-check', silenced: 'silenced', maintenance: 'maintenance', commissioning: 'commissioning', inhibited: 'covered by a graver alert', quiet_hours: 'quiet hours', no_consent: 'no consent', no_address: 'no address', storm: 'too many alerts, told together', flapping: 'comes and goes', answered: 'somebody of the family looks after it', not_told: 'was not told of the alert' },
  delivery: { pending: 'waiting', sending: 'sending', accepted: 'sent', delivered: 'delivered', acted: 'answered', failed: 'not delivered', expired: 'not needed' },
  relation: { daughter: 'daughter', son: 'son', spouse: 'spouse', neighbour: 'neighbour', friend: 'friend', grandchild: 'grandchild', sibling: 'sibling', relative: 'relative' },
  target: { circle: 'family and friends', duty: 'duty', role: 'role', person: 'person' },
  role: {
    admin: 'Administrator', manager: 'Manager', duty: 'Duty', caretaker: 'Caretaker', family: 'Family', auditor: 'Auditor', elder: 'Elder', resident: 'Resident', contact: 'Contact', property_duty: 'Duty', grid_worker: 'Grid worker', maintenance: 'Maintenance', security_guard: 'Security guard',
  },
  devices: {
    title: 'Devices', search: 'Id, name or place', type: 'Type', state: 'State', id: 'Id', name: 'Name', place: 'Place', community: 'Community', created: 'Registered', found: '{n} devices', none: 'No device fits.', values: 'Present values', field: 'Quantity', value: 'Value', at: 'Time', history: 'History', events: 'Events',
    completeness: 'Completeness', expected: 'Expected', receivedCount: 'Received', lateCount: 'Late', missing: 'Missing', secret: 'Secret', rotate: 'Rotate the secret', rotateHint: 'The old secret ends at once; the device must connect with the new one.', secretOnce: 'The secret is shown this once. The installer scans the code or writes it down.', revoke: 'Revoke', revokeHint: 'A revoked device can no longer connect, and its data is rejected.', topic: 'Topic', gateway: 'Gateway', person: 'Used by', tags: 'Tags',
    range: 'Range', hours24: '24 hours', days7: '7 days', days30: '30 days', year: '1 year', hour1: '1 hour', csv: 'Export CSV', online: 'Online', offline: 'Offline', unknown: 'Unknown', lastSeen: 'Last report', noValues: 'No readings yet.', replacedBy: 'Replaced by {id}', alerts: 'Alerts of this device', user: 'User name', qr: 'QR code of the secret', mean: 'mean', peaks: 'peaks', chart: '{name}: last {last}, lowest {min}, highest {max}', commands: 'Commands', sendCommand: 'Send a command', series: 'Series',
  },
  command: {
    command: 'Command', state: 'State', by: 'By', asked: 'Asked', none: 'Nothing has been asked of this device yet.', send: 'Send', next: 'Continue', optional: 'optional', sure: 'Are you sure?', do: 'Yes: {name}', danger: 'This acts on {device} at once and may concern the safety of people or their power, water and gas. If the device is offline it is kept for {span} only, then dropped.', kept: 'If the device is offline it is kept for {span}, then dropped.',
    queued: 'Queued', sent: 'Sent', done: 'Done', failed: 'Failed', expired: 'Expired',
  },
  places: { title: 'Buildings', whole: 'The whole community', building: 'Building', public: 'Public area', devicesHere: '{n} devices', openHere: '{n} alerts', calm: 'No alert', elsewhere: '{n} devices are not on the plan' },
  scene: {
    title: 'Scenes', latest: 'Now', trend: 'Trend', events: 'Latest events', energy: 'Energy', waste: 'Waste', charging: 'Charging', elders: 'Elder care', safety: 'Fire and safety', access: 'Access and parking', environment: 'Environment and water', bus: 'Micro-bus', noDevices: 'This community has no such devices.', devices: 'Devices', ok: 'OK', attention: 'Look at', updated: 'as of {time}', worst: 'highest', mean: 'mean', sum: 'total', count: 'number', stale: 'out of date',
  },
  rejects: { title: 'Rejects', hint: 'Whatever was not stored is here, with the reason; replay it once the cause is mended.', received: 'Received', topic: 'Topic', reason: 'Reason', code: 'Kind', raw: 'Raw', replay: 'Replay', replayed: 'Replayed', none: 'Nothing was rejected.', still: 'Still rejected' },
  people: { roles: 'Roles', reach: 'Reached by', circle: 'Circle', away: 'Away', leave: 'Set away', back: 'Is back', onDuty: 'On duty now', nobody: 'nobody', pickCommunity: '{n} more rotas; choose a community to see them.' },
  holds: {
    silences: 'Silence', maintenance: 'Maintenance', commissioning: 'Commissioning', reason: 'Reason', end: 'End', none: 'No silence or maintenance is in force.',
    confirm: 'Confirm', safety: 'Life-safety too', safetyHint: 'Of one device or person only. It has no effect until a second person confirms it within 15 minutes.', pending: 'Waits for a second person', lapses: 'lapses at {time}', asked: '{who} asks to silence life-safety', safetyUntil: 'Life-safety is silenced until {time}', both: 'asked by {by}, confirmed by {other}', safetyTitle: 'Silences of life-safety', hint: 'Alerts are recorded meanwhile, but nobody is told. Life-safety is not held back unless a second person confirms it.',
  },
  users: {
    hint: 'Who may log in, and what they reach.', add: 'Add an account', reset: 'Reset password', disable: 'Disable', enable: 'Enable', disabled: 'disabled', active: 'active', mustChange: 'first password', once: 'The password is shown this once and must be changed at the first login.', reach: 'Reach', nameHint: 'lower-case letters, digits, - and _', elders: 'Elders', eldersHint: 'ids among the people, with spaces between', person: 'Is the person', personHint: 'id among the people, for rota and consent; may be left out',
    resetHint: 'A new password is made, and all sessions of this account end.', disableHint: 'This account can no longer log in, and its sessions end.', enableHint: 'This account may log in again.',
    may: { admin: 'everything', manager: 'runs devices, people, rules and alerts of communities', duty: 'handles alerts of communities, swaps shifts', caretaker: 'sees and handles alerts of elders or communities', family: 'sees their own elders', auditor: 'reads, and reads the audit log' },
  },
  audit: { what: 'What', whose: 'About', result: 'Result', hint: 'Who did what, and who looked at data of persons. It only grows, and is kept for a year.' },
  say: {
    and: ' and ', or: ' or ', not: 'not ', is: ' is ', isNot: ' is not ', in: ' is ', away: 'the person is away', change: 'change of {field} within {per}', ruleOpen: 'an alert of “{rule}” is open', sinceEvent: 'time since the last “{event}”', same: '{type} of the same {same}: ', within: 'within {window}', measured: '{of}{fn} {field} {within}',
    for: ' for {for}', event: 'On the event “{event}”', with: ', if {when}', count: '{n} times “{event}” within {window}', absence: 'No {what} for {window}', anything: 'data at all', while: ' (only while {when})', without: '{first} and then not {second} within {within}', then: '{first} and then {second} within {within}', quoted: '“{text}”', step: '“{rule}” {what}', home: 'the person is at home', bit: 'bit {n} of {field}', score: 'Score of {of} {least}', list: ', ', unset: 'not registered',
    clear: '; clears when {when}', schedule: '; only at {times}', applies: '; only for {when}',
  },
  fn: { increase: 'increase of', mean: 'mean', min: 'lowest', max: 'highest', sum: 'sum of', count: 'number of', leq: 'equivalent level of', stddev: 'deviation of', median: 'median', positive_buckets: 'time of growth of', age: 'age of', rate: 'change of', any: 'any', all: 'all' },
  payload: { confidence: 'confidence', result: 'result', person_type: 'kind of person', distance_m: 'distance', owner_class: 'kind of car', dwell_s: 'time there', overstayers: 'cars too long', kind: 'kind', care: 'care', sbp: 'systolic pressure', dbp: 'diastolic pressure', scene: 'scene', recovered: 'recovered by itself', code: 'code' },
  tagValue: { lives_alone: 'living alone', entrance: 'entrance', three_phase: 'three-phase', hydrant_indoor: 'indoor hydrant', hydrant_outdoor: 'outdoor hydrant', pump_room: 'pump room', heating: 'heating', elder_care: 'room of an elder', nursery: 'nursery', bathroom: 'bathroom', hazardous: 'hazardous', road: 'road', rain_garden: 'rain garden', sunken_green: 'sunken green', lake: 'lake', river: 'river', manhole: 'manhole', garage_entrance: 'garage entrance', household: 'household', dementia: 'dementia', out_of_range: 'out of range', hvac_source: 'cooling and heating plant', fan_pump: 'fans and pumps', lighting_socket: 'lighting and sockets', air_conditioning: 'air conditioning', special: 'special loads', elevator: 'elevator', ev: 'charging', public: 'public', grid: 'grid', pv: 'PV', ac: 'AC', dc: 'DC', main: 'main door' },
  place: { building: 'building', estate: 'estate', unit: 'unit', zone: 'zone', community: 'community', gateway: 'gateway', transformer: 'transformer', shed: 'shed', type: 'type', person: 'person', route: 'route', asset: 'asset', home: 'home' },
  rules: {
    duration: 'such as 30s, 10m, 2h, 1d',
    hint: 'What each rule judges, how grave that is, and where it comes from. Changes hold at once and can be taken back.', kind: 'Kind', origin: 'Comes from', says: 'What it says', where: 'Defined in', type: 'Device type', inUse: 'In use here', changed: 'Changed', changedN: '{level} {n}', devices: '{n} devices', pending: 'not evaluated', safety: 'Life-safety',
    search: 'Name or id of a rule', source: 'Source', note: 'Remark', params: 'Parameters', overrides: 'Changes', none: 'Nothing is changed: all devices follow the rule as it is.', add: 'Change this rule', title: 'Change a rule', whom: 'For', device: 'One device', group: 'A group of devices', community: 'A whole community', reason: 'Reason', reasonHint: 'For who looks at it later: building site until May', off: 'Put out of force', different: 'Other parameters', disabled: 'Out of force',
    offSafety: 'A life-safety rule can be put out of force for one device at a time only.', groupBy: 'By', groupValue: 'Value', change: 'Change', remove: 'Take back', sure: 'Take this change back? Its devices follow the rule as it is again, at once.', default: 'as it is', expression: 'Expression', expert: 'Edit as an expression', effect: 'In force at once. Alerts that are open go on.', holds: 'holds', overruled: 'a more specific change holds', of: 'Rules of this device', inForce: 'In force', notInForce: 'Not in force', why: 'Why', from: 'Parameters from', nothingDiffers: 'No parameter differs from now.', level: { device: 'Device', group: 'Group', community: 'Community', type: 'Type' },
    byType: 'Device type', byCommon: 'Every type', bySite: 'This site', replay: 'Try on history', replayHint: 'Judges the stored history by the rule, lists the alerts that would come, and sets beside them what really opened. Nobody is told and nothing is kept.', run: 'Begin', cancel: 'Stop', period: 'Time', last: { d1: 'Last 24 hours', d7: 'Last 7 days', d30: 'Last 30 days', own: 'Other' }, whatIf: 'What if parameters were different', progress: 'judged until {time}', would: 'Would open', really: 'Really opened', both: 'Both', onlyReplay: 'Replay only', onlyReal: 'Really only', ended: 'Cleared', stillOpen: 'not cleared', nothing: 'No alert would have come in this time.', stopped: 'Stopped; this is what was found before.', truncated: 'Only the first {n} are listed.', scope: 'Of', wholeCommunity: 'The whole community', registry: 'With the devices as they are registered now.', show: 'Show the alert', missing: 'There is no such rule.',
  },
  ruleKind: { event: 'Event', threshold: 'Threshold', state: 'State', absence: 'Absence', rate: 'Rate of change', window: 'Over a time', count: 'Count', sequence: 'Sequence', derived: 'Derived', geofence: 'Geofence', compound: 'Compound' },
  basis: { verified: 'by a standard', known: 'usual practice', judgement: 'judgement' },
  param: { when: 'Opens when', clear: 'Clears when', for: 'Lasting', window: 'Window', within: 'Within', count: 'Times', per: 'Change over', between: 'In force', schedule: 'In force', max_age: 'Fresh for', severity: 'Severity', fields: 'Quantity', events: 'Event', plan: 'Plan', applies: 'Only for', cleared_by: 'Clears with', first: 'First', then: 'Then', without: 'Missing', will: 'After a last will', device: 'Device', community: 'Community', type: 'Device type', reason: 'Reason', rule: 'Rule', group: 'Group', set: 'Parameters', from: 'Time', to: 'Time' },
  channels: {
    hint: 'Alerts reach people over these. Send a test before you rely on one.', channel: 'Channel', quota: 'Quota', waiting: 'Waiting', accepted: 'Last success', failed: 'Last failure', test: 'Test', send: 'Send a test', sending: 'Sending…', none: 'No channel is configured: alerts go to the log of the server only.', works: 'Works', failing: 'Failing', unused: 'Not used yet', never: 'none known', unlimited: 'no limit', muted: 'Held off until {time}', per: 'per {span}', reserved: '{n} kept for life-safety', urgent: 'life-safety {n}',
    testHint: 'One message is sent that says it is a test. This is kept in the audit log, and the number is limited.', to: 'To', toHint: 'Empty: to the address of the settings', sent: 'Taken by the other side after {n} ms. Make sure that it has arrived.', spent: 'The quota is spent; nothing was sent.', silent: 'The notifier did not answer: see whether it runs.', callback: 'Address for receipts', callbackHint: 'For the console of the provider, behind the public address of this site. Keep it to yourself.', fake: 'This kind was written from the documentation of its provider and tried against a fake of it only.', fakes: 'All but webhook, mail and the log were written from the documentation of their providers and tried against fakes only. Test each of yours.',
  },
  channelKind: { webhook: 'Webhook', wecom_robot: 'WeCom robot', dingtalk_robot: 'DingTalk robot', feishu_robot: 'Feishu robot', aliyun_sms: 'Aliyun SMS', aliyun_voice: 'Aliyun voice call', ntfy: 'ntfy push', smtp: 'Mail', log: 'Log of the server' },
  sendClass: { retry: 'The network or the other side failed.', rate_limited: 'The other side wants to be left alone for a while.', auth: 'The other side does not accept our credentials: see the settings.', bad_target: 'The address does not exist, or nobody takes messages there.', bad_message: 'The other side does not take such a message: see its template.', in_doubt: 'There was no answer; it may have arrived.' },
  account: {
    profile: 'About you', display: 'Shown as', language: 'Language', password: 'Password', passwordHint: 'A change ends your sessions everywhere else.', change: 'Change the password', changed: 'The password is changed; your other sessions have ended.', sessions: 'Where you are logged in', where: 'Browser and address', seen: 'Last use', since: 'Since', end: 'End', here: 'this one', byToken: 'You came in with a token. Password and sessions belong to accounts that log in with a password.',
    tokens: 'API tokens', newToken: 'New token', noTokens: 'No tokens. A token is for a program, and may no more than you.', purpose: 'What for', purposeHint: 'such as: figures for the wall screen', scopes: 'Scopes', expires: 'Expires', days: 'in {n} days', read: 'read', write: 'read and write', tokenHint: 'Give no more than the program needs.', once: 'The token is shown this once: keep it now.', endHint: 'End the token “{name}”? The program that uses it is let in no more, at once.', logins: 'Last log-ins', ok: 'ok', wrong: 'failed',
  },
  area: { session: 'Login', accounts: 'Accounts', audit: 'Audit', devices: 'Devices', people: 'People and rotas', alerts: 'Alerts', readings: 'Readings', rules: 'Rules', channels: 'Channels', rejects: 'Rejects', health: 'Health', registry: 'Registry', commands: 'Commands', repair: 'Repair', answers: 'Answers' },
  notFound: { title: 'There is no such page', hint: 'The link may be out of date.' },
}
export default en
