// The words of the pages in Chinese. English has the same keys, or it does not compile.
export default {
  name: '邻里', tagline: '社区物联网平台',
  login: {
    title: '登录', user: '用户名', password: '密码', enter: '登录', byToken: '使用令牌登录', byPassword: '使用账号登录', token: '令牌',
    tokenHint: '管理员令牌保存在服务器数据目录的 admin.token 文件中。', wrong: '用户名或密码不正确。', wrongToken: '令牌不正确。', ended: '登录已失效,请重新登录。',
    change: '请先修改初始密码', newPassword: '新密码', again: '再输入一次', differ: '两次输入不一致。', save: '保存并继续', old: '当前密码', tooMany: '尝试次数过多,请稍后再试。',
  },
  nav: {
    board: '值班台', alerts: '告警', devices: '设备', places: '楼栋', scenes: '场景', rejects: '拒收数据', rules: '规则', people: '人员', rota: '排班',
    silences: '静默与检修', channels: '通知渠道', users: '账号', audit: '审计', account: '我的账号', work: '值守', manage: '管理', more: '更多', main: '主导航', skip: '跳到正文',
  },
  shell: {
    all: '全部社区', community: '社区', live: '实时', lost: '连接中断,正在重连', connecting: '正在连接', soundOn: '告警声音:开', soundOff: '告警声音:关',
    theme: '外观', auto: '跟随系统', light: '浅色', dark: '深色', language: 'English', logout: '退出', close: '关闭', menu: '菜单', newAlert: '新告警:{name},{place}',
    stale: '连接中断。以下内容为中断前的状态,恢复后自动更新。',
  },
  common: {
    loading: '正在加载…', failed: '加载失败', retry: '重试', unreachable: '无法连接服务器。', forbidden: '没有权限查看。', none: '暂无数据', save: '保存', cancel: '取消', ok: '确定', open: '打开', back: '返回',
    all: '全部', yes: '是', no: '否', more: '加载更多', search: '搜索', count: '{n} 项', of: '{n} / {total}', copied: '已复制', copy: '复制', time: '时间', note: '备注', by: '操作人', done: '已完成', notDone: '操作未成功:{reason}',
    clear: '清除', since: '已 {span}', ago: '{span}前', never: '从未', delete: '删除', edit: '编辑', add: '新增', detail: '详情', from: '从', to: '至', today: '今天', remove: '移除',
  },
  severity: { critical: '危急', high: '严重', medium: '中等', low: '轻微', informational: '提示' },
  state: { opened: '未确认', acknowledged: '已确认', cleared: '已恢复', closed: '已关闭' },
  deviceState: { active: '使用中', revoked: '已停用', replaced: '已更换' },
  category: {
    health: '健康', fire: '火情', gas: '燃气', water: '用水', flood: '积水', waste: '垃圾', energy: '能源', charging: '充电', security: '安防', access: '门禁', parking: '停车', environment: '环境', device: '设备', service: '服务',
    traffic: '交通', electrical: '电气', safety: '安全', mobility: '出行', system: '系统', comfort: '舒适',
  },
  board: {
    title: '值班台', open: '未关闭', unacknowledged: '未确认', clear: '目前没有告警', clearHint: '新的告警会立即显示在这里,并响铃提示。', pick: '选择一条告警查看详情',
    devices: '设备在线', rate: '读数 / 秒', energy: '今日用电', bins: '垃圾桶已满', chargers: '充电中', elders: '长者静默', disk: '磁盘空间已用 {n}%', backlog: '积压 {n} 条待处理', keys: '快捷键',
    keyMove: '上下选择', keyAck: '确认', keyOpen: '打开详情', keySound: '声音开关', recent: '最近关闭', acknowledgeAll: '全部确认', notDelivered: '未送达', notReady: '{role} 未就绪:{reason}',
  },
  alert: {
    title: '告警', list: '告警记录', acknowledge: '确认', assign: '指派', comment: '备注', snooze: '稍后提醒', close: '关闭', reopen: '重新打开', id: '编号', device: '设备', person: '相关人员', place: '位置', value: '数值', rule: '规则', opened: '发生', event: '事件时间', received: '收到',
    count: '共 {n} 次', late: '迟到', safety: '生命安全', latched: '须人工关闭', timeline: '经过', told: '通知', notTold: '未通知', readings: '触发告警的读数', similar: '此前同类告警', noSimilar: '此前没有同类告警。', disposition: '处置结果',
    choose: '请选择处置结果', noteHint: '写给下一班的人', acknowledgedBy: '{who} 已确认', familyGoes: '家属{who}去看看', delay: '收到比发生晚 {span}', why: '为什么告警', when: '条件', for: '持续', basis: '依据', filter: '筛选告警', duty: '值班渠道', nobody: '没有人被通知。', answered: '已应答',
    assignTo: '指派给', snoozeFor: '暂停提醒', minutes: '{n} 分钟', hours: '{n} 小时', assigned: '已指派给 {who}', snoozed: '暂停提醒至 {time}', tag: '分路', noReadings: '这段时间没有读数。', attempts: '第 {n} 次尝试', script: '120 急救说明', together: '与另外 {n} 条合并发送', within: '与其他通知合并发送', nobodyYet: '暂无通知记录。',
  },
  disposition: { helped: '已提供帮助', false_press: '误按', test: '测试', false_detection: '误报', no_access_escalated_120: '无法进入,已转 120', duplicate: '重复告警', resolved: '已处理' },
  event: {
    opened: '告警发生', repeated: '再次触发', confirmed: '确认发生', acknowledged: '已确认', cleared: '已恢复', closed: '已关闭', escalated: '升级通知', assigned: '已指派', commented: '备注', snoozed: '稍后提醒', raised: '等级升高', corroborated: '另一设备证实', lowered: '等级降低', reopened: '重新打开', unanswered: '无人应答', unreached: '未能联系到', declined: '表示无法前往', reminded: '提醒确认人', family_acknowledged: '家属已响应', renewed: '已续确认', unacknowledged: '确认已失效', kept: '通知状态变化', flapping: '反复触发,暂停通知',
  },
  held: { late: '迟到的告警不通知', synthetic: '自检', silenced: '静默中', maintenance: '检修中', commissioning: '调试中', inhibited: '已被更重要的告警涵盖', quiet_hours: '免打扰时段', no_consent: '未授权', no_address: '没有联系方式', storm: '告警过多,合并通知', flapping: '反复触发,暂停通知', answered: '家属已在处理', not_told: '此前未通知该告警' },
  delivery: { pending: '等待发送', sending: '正在发送', accepted: '已发出', delivered: '已送达', acted: '已应答', failed: '未送达', expired: '无需发送' },
  relation: { daughter: '女儿', son: '儿子', spouse: '配偶', neighbour: '邻居', friend: '朋友', grandchild: '孙辈', sibling: '兄弟姐妹', relative: '亲属' },
  target: { circle: '亲友', duty: '值班', role: '岗位', person: '个人' },
  role: {
    admin: '管理员', manager: '物业经理', duty: '值班员', caretaker: '护理员', family: '家属', auditor: '审计员', elder: '长者', resident: '居民', contact: '亲友', property_duty: '值班', grid_worker: '网格员', maintenance: '工程维修', security_guard: '保安',
  },
  devices: {
    title: '设备', search: '编号、名称、位置', type: '类型', state: '状态', id: '编号', name: '名称', place: '位置', community: '社区', created: '登记时间', found: '{n} 台设备', none: '没有符合条件的设备。', values: '当前值', field: '项目', value: '数值', at: '时间', history: '历史曲线', events: '事件',
    completeness: '数据完整性', expected: '应收', receivedCount: '实收', lateCount: '迟到', missing: '缺失', secret: '接入密钥', rotate: '更换密钥', rotateHint: '旧密钥立即失效,设备须用新密钥重新接入。', secretOnce: '密钥只显示这一次。请安装人员扫描二维码或抄录。', revoke: '停用', revokeHint: '停用后设备不能再接入,其数据会被拒收。', topic: '主题', gateway: '网关', person: '使用人', tags: '标签',
    range: '时间范围', hours24: '24 小时', days7: '7 天', days30: '30 天', year: '1 年', hour1: '1 小时', csv: '导出 CSV', online: '在线', offline: '离线', unknown: '未知', lastSeen: '最近上报', noValues: '还没有读数。', replacedBy: '已由 {id} 更换', alerts: '此设备的告警', user: '用户名', qr: '密钥二维码', mean: '均值', peaks: '峰值范围', chart: '{name}:最新 {last},最低 {min},最高 {max}', commands: '下行命令', sendCommand: '发送命令', series: '分路',
  },
  command: {
    command: '命令', state: '状态', by: '操作人', asked: '下达时间', none: '还没有下达过命令。', send: '发送', next: '下一步', optional: '选填', sure: '请再次确认', do: '确定:{name}', danger: '将立即作用于设备 {device},可能影响人员或用电、用水、用气安全。设备若离线,仅保留 {span},过时作废。', kept: '设备离线时保留 {span},过时作废。',
    queued: '待发送', sent: '已发送', done: '已执行', failed: '未执行', expired: '已过期',
  },
  places: { title: '楼栋', whole: '整个社区', building: '楼栋', public: '公共区域', devicesHere: '{n} 台设备', openHere: '{n} 条告警', calm: '无告警', elsewhere: '另有 {n} 台设备不在图上' },
  scene: {
    title: '场景', latest: '现状', trend: '趋势', events: '最近事件', energy: '能源', waste: '垃圾分类', charging: '充电', elders: '长者关怀', safety: '消防与安全', access: '通行与停车', environment: '环境与水位', bus: '循环微公交', noDevices: '这个社区没有此类设备。', devices: '设备', ok: '正常', attention: '需关注', updated: '更新于 {time}', worst: '最高', mean: '平均', sum: '合计', count: '数量', stale: '数据过时',
  },
  rejects: { title: '拒收数据', hint: '没有存入时序库的数据都在这里,附有原因;修正后可以重放。', received: '收到时间', topic: '主题', reason: '原因', code: '类别', raw: '原始内容', replay: '重放', replayed: '已重放', none: '没有拒收的数据。', still: '重放后仍被拒收' },
  people: { roles: '角色', reach: '联系方式', circle: '亲友圈', away: '外出', leave: '设为外出', back: '已回来', onDuty: '当前值班', nobody: '无人', pickCommunity: '另有 {n} 个排班,请选择社区查看。' },
  holds: {
    silences: '静默', maintenance: '检修', commissioning: '调试', reason: '原因', end: '结束', none: '没有生效中的静默或检修。',
    confirm: '确认静默', safety: '同时静默生命安全告警', safetyHint: '仅限单个设备或单个人;须由第二人在15分钟内确认,此前不生效。', pending: '待第二人确认', lapses: '{time} 前未确认即作废', asked: '{who} 申请静默生命安全告警', safetyUntil: '生命安全告警静默至 {time}', both: '{by} 申请,{other} 确认', safetyTitle: '生命安全告警的静默', hint: '期间相关告警仍会记录,但不通知;生命安全告警不受影响,除非经第二人确认。',
  },
  users: {
    hint: '谁能登录、能看到哪里。', add: '新增账号', reset: '重置密码', disable: '停用', enable: '启用', disabled: '已停用', active: '正常', mustChange: '待改初始密码', once: '密码只显示这一次,首次登录后须修改。', reach: '管辖范围', nameHint: '小写字母、数字、- 和 _', elders: '负责的长者', eldersHint: '人员编号,多个以空格分隔', person: '对应人员', personHint: '在人员名册中的编号,用于排班和授权;可不填',
    resetHint: '将生成新密码,该账号的所有登录立即失效。', disableHint: '该账号立即无法登录,所有登录失效。', enableHint: '该账号可以重新登录。',
    may: { admin: '全部权限', manager: '管理所辖社区的设备、人员、规则和告警', duty: '处理所辖社区的告警,调班', caretaker: '查看并处理所负责长者或社区的告警', family: '查看自家长者', auditor: '只读,并可查看审计' },
  },
  audit: { what: '操作', whose: '对象', result: '结果', hint: '谁做了什么、谁查看了个人数据,只能追加,保留一年。' },
  say: {
    and: ' 且 ', or: ' 或 ', not: '非 ', is: ' 为 ', isNot: ' 不为 ', in: ' 为 ', away: '本人外出', change: '{field}在 {per}内的变化', ruleOpen: '「{rule}」正在告警', sinceEvent: '距上次「{event}」的时间', same: '同{same}{type} ', within: '{window}内 ', measured: '{of}{within}{field} {fn}',
    for: ',持续 {for}', event: '收到事件「{event}」', with: ',且 {when}', count: '{window}内发生 {n} 次「{event}」', absence: '{window}内没有收到{what}', anything: '任何数据', while: '(仅当 {when})', without: '{first}之后 {within}内没有{second}', then: '{first}之后 {within}内又有{second}', quoted: '「{text}」', step: '「{rule}」{what}', home: '本人在家', bit: '{field}的第 {n} 位', score: '按{of}综合评分 {least}', list: '、', unset: '未登记',
    clear: ';{when} 时恢复', schedule: ';仅在 {times}', applies: ';仅适用于 {when}',
  },
  fn: { increase: '的增量', mean: '的平均值', min: '的最低值', max: '的最高值', sum: '之和', count: '的数量', leq: '的等效声级', stddev: '的标准差', median: '的中位数', positive_buckets: '持续增长的时长', age: '距今的时间', rate: '的变化', any: '任一成立', all: '全部成立' },
  payload: { confidence: '置信度', result: '结果', person_type: '人员类型', distance_m: '偏离距离', owner_class: '车辆类别', dwell_s: '停留时间', overstayers: '超时车数', kind: '类别', care: '关爱', sbp: '收缩压', dbp: '舒张压', scene: '场景', recovered: '已自行恢复', code: '代码' },
  tagValue: { lives_alone: '独居', entrance: '入户门', three_phase: '三相', hydrant_indoor: '室内消火栓', hydrant_outdoor: '室外消火栓', pump_room: '泵房', heating: '采暖', elder_care: '长者房间', nursery: '婴幼儿房间', bathroom: '卫生间', hazardous: '有害垃圾', road: '道路', rain_garden: '雨水花园', sunken_green: '下沉绿地', lake: '湖', river: '河', manhole: '检查井', garage_entrance: '车库入口', household: '居民户', dementia: '失智', out_of_range: '超出量程', hvac_source: '冷热源站', fan_pump: '风机水泵', lighting_socket: '照明插座', air_conditioning: '空调', special: '特殊用电', elevator: '电梯', ev: '充电', public: '公共', grid: '总表', pv: '光伏', ac: '交流', dc: '直流', main: '主门' },
  place: { building: '楼栋', estate: '小区', unit: '单元', zone: '区域', community: '社区', gateway: '网关', transformer: '变压器', shed: '车棚', type: '类型', person: '使用人', route: '线路', asset: '资产', home: '住户' },
  rules: {
    duration: '如 30s、10m、2h、1d',
    hint: '每条规则判断什么、多严重、从哪里来。改动立即生效,可随时撤销。', kind: '判断方式', origin: '来源', says: '内容', where: '定义', type: '设备类型', inUse: '仅本社区在用', changed: '已改动', changedN: '{level} {n}', devices: '{n} 台设备', pending: '未启用', safety: '生命安全',
    search: '规则名称或编号', source: '出处', note: '说明', params: '参数', overrides: '改动', none: '没有改动,所有设备按规则原样执行。', add: '改动此规则', title: '改动规则', whom: '适用范围', device: '单台设备', group: '一组设备', community: '整个社区', reason: '理由', reasonHint: '写给以后查看的人,例如:改造施工至五月', off: '停用', different: '改用其他参数', disabled: '已停用',
    offSafety: '生命安全规则只能对单台设备停用。', groupBy: '按', groupValue: '值', change: '改动', remove: '撤销', sure: '确定撤销这项改动?相关设备将立即恢复为规则原样。', default: '原样', expression: '表达式', expert: '以表达式修改', effect: '立即生效。进行中的告警不受影响。', holds: '生效', overruled: '被更具体的改动取代', of: '适用于此设备的规则', inForce: '有效', notInForce: '无效', why: '原因', from: '参数来源', nothingDiffers: '没有任何参数与现在不同。', level: { device: '设备', group: '设备组', community: '社区', type: '类型' },
    byType: '设备类型', byCommon: '所有类型', bySite: '本站', replay: '用历史数据试算', replayHint: '按规则重新判断已存的历史数据,列出会触发的告警,并与实际告警对照。不会通知任何人,也不会保存。', run: '开始试算', cancel: '停止', period: '时间', last: { d1: '最近 24 小时', d7: '最近 7 天', d30: '最近 30 天', own: '自定义' }, whatIf: '假如参数不同', progress: '已算到 {time}', would: '会触发', really: '实际触发', both: '一致', onlyReplay: '仅试算', onlyReal: '仅实际', ended: '恢复', stillOpen: '至今未恢复', nothing: '这段时间不会触发告警。', stopped: '已停止,以下为停止前的结果。', truncated: '只列出前 {n} 条。', scope: '范围', wholeCommunity: '整个社区', registry: '按目前登记的设备计算。', show: '查看告警', missing: '没有这条规则。',
  },
  ruleKind: { event: '事件', threshold: '阈值', state: '状态', absence: '缺失', rate: '变化率', window: '时段统计', count: '次数', sequence: '先后顺序', derived: '推算', geofence: '电子围栏', compound: '组合' },
  basis: { verified: '有标准依据', known: '行业通行', judgement: '经验判断' },
  param: { when: '触发条件', clear: '恢复条件', for: '持续时间', window: '时间窗口', within: '时限', count: '次数', per: '变化时段', between: '生效时段', schedule: '生效时段', max_age: '数据有效期', severity: '严重程度', fields: '项目', events: '事件', plan: '通知方案', applies: '适用条件', cleared_by: '恢复事件', first: '先', then: '后', without: '未出现', will: '断线后', device: '设备', community: '社区', type: '设备类型', reason: '理由', rule: '规则', group: '设备组', set: '参数', from: '时间', to: '时间' },
  channels: {
    hint: '告警经这些渠道送达。先发一条测试,再依赖它。', channel: '渠道', quota: '配额', waiting: '等待', accepted: '最近成功', failed: '最近失败', test: '测试', send: '发送测试', sending: '正在发送…', none: '没有配置渠道。告警只写入服务器日志。', works: '正常', failing: '异常', unused: '尚未使用', never: '无记录', unlimited: '无限制', muted: '被限流至 {time}', per: '每 {span}', reserved: '其中 {n} 条留给生命安全', urgent: '生命安全 {n}',
    testHint: '将发送一条注明“测试”的消息。操作记入审计,次数有限。', to: '发送到', toHint: '留空则发到配置中的地址', sent: '对方已接收,用时 {n} 毫秒。请确认确实收到。', spent: '配额已用完,未发送。', silent: '通知服务没有应答,请检查其是否运行。', callback: '回执地址', callbackHint: '填入服务商控制台,前面加上本站的公网地址。请勿外传。', fake: '此类渠道按服务商文档编写,只对模拟服务测试过。', fakes: '除 Webhook、邮件和日志外,其他渠道按服务商文档编写,只对模拟服务测试过。请逐个发送测试。',
  },
  channelKind: { webhook: 'Webhook', wecom_robot: '企业微信机器人', dingtalk_robot: '钉钉机器人', feishu_robot: '飞书机器人', aliyun_sms: '阿里云短信', aliyun_voice: '阿里云语音电话', ntfy: 'ntfy 推送', smtp: '邮件', log: '服务器日志' },
  sendClass: { retry: '网络或对方服务故障。', rate_limited: '对方要求暂缓发送。', auth: '对方不接受我们的凭据,请检查密钥设置。', bad_target: '地址不存在或无人接收。', bad_message: '对方不接受这样的内容,请检查模板。', in_doubt: '没有得到答复,可能已经送达。' },
  account: {
    profile: '个人信息', display: '显示名称', language: '界面语言', password: '修改密码', passwordHint: '修改后,其他地方的登录全部失效。', change: '修改密码', changed: '密码已修改,其他登录已失效。', sessions: '登录中的设备', where: '设备与地址', seen: '最近使用', since: '登录时间', end: '结束', here: '当前', byToken: '您使用令牌登录。密码与会话属于以密码登录的账号。',
    tokens: 'API 令牌', newToken: '新建令牌', noTokens: '没有令牌。令牌供程序使用,权限不超过您本人。', purpose: '用途', purposeHint: '例如:大屏取数', scopes: '权限范围', expires: '到期', days: '{n} 天后', read: '只读', write: '读写', tokenHint: '只勾选程序需要的范围。', once: '令牌只显示这一次,请立即保存。', endHint: '结束令牌“{name}”?使用它的程序将立即无法访问。', logins: '最近登录', ok: '成功', wrong: '失败',
  },
  area: { session: '登录', accounts: '账号', audit: '审计', devices: '设备', people: '人员与排班', alerts: '告警', readings: '读数', rules: '规则', channels: '渠道', rejects: '拒收数据', health: '运行状态', registry: '登记', commands: '命令', repair: '修复', answers: '应答' },
  notFound: { title: '没有这个页面', hint: '链接可能已经失效。' },
}
