// The words of the family page, large and plain.

export const zh = {
  fine: '{name}:一切正常', quiet: '{name}:暂时没有活动', away: '{name}:外出中', alarm: '{name}需要帮助', alarmOther: '需要帮助', taken: '{who}已在处理', over: '此事已处理完毕', unknown: '{name}:暂无活动信息',
  active: '最近活动:{span}前', until: '预计 {time} 回来', since: '{time} 发生', go: '我去看看', going: '已收到,谢谢。请尽快前往。', told: '已通知', nobody: '暂未通知其他人', answered: '{who}已响应', circle: '联系顺序',
  well: '每日 {at} 报平安', looked: '谁查看过', you: '您好,{name}', bad: '这个链接已失效。', badHint: '请使用最新一条通知中的链接,或联系物业值班室。', offline: '网络连接中断,正在重试…', loading: '正在加载…', other: 'English', script: '拨打 120 时可以这样说', noConsent: '长者未授权查看活动情况。', failed: '没有发送成功,请重试。',
  relation: { daughter: '女儿', son: '儿子', spouse: '配偶', neighbour: '邻居', friend: '朋友', grandchild: '孙辈', sibling: '兄弟姐妹', relative: '亲属' } as Record<string, string>,
}

export const en: typeof zh = {
  fine: '{name}: fine', quiet: '{name}: no activity for a while', away: '{name}: away', alarm: '{name} needs help', alarmOther: 'Somebody needs help', taken: '{who} looks after it', over: 'This is over', unknown: '{name}: activity not known',
  active: 'Last active {span} ago', until: 'Expected back {time}', since: 'Since {time}', go: 'I am going', going: 'Noted, thank you. Please go as soon as you can.', told: 'Told', nobody: 'Nobody else was told yet', answered: '{who} has answered', circle: 'Contact order',
  well: 'All is well, daily at {at}', looked: 'Who has looked', you: 'Hello {name}', bad: 'This link is no longer good.', badHint: 'Use the link of the latest message, or call the duty desk.', offline: 'The connection is lost, trying again…', loading: 'Loading…', other: '中文', script: 'What to say to 120', noConsent: 'Activity is not shared with you.', failed: 'That was not sent, please try again.',
  relation: {},
}
