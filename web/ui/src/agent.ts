// What a browser says of itself, as people call it.

const browsers: [RegExp, string][] = [[/MicroMessenger/, '微信 WeChat'], [/Edg\//, 'Edge'], [/Firefox\//, 'Firefox'], [/Chrome\//, 'Chrome'], [/Safari\//, 'Safari']]
const systems: [RegExp, string][] = [[/iPhone|iPad/, 'iOS'], [/Android/, 'Android'], [/HarmonyOS|OpenHarmony/, 'HarmonyOS'], [/Windows/, 'Windows'], [/Mac OS X/, 'macOS'], [/Linux/, 'Linux']]

/** agentName names browser and system; of a program it is how it calls itself. */
export function agentName(agent = ''): string {
  const of = (all: [RegExp, string][]) => all.find(([form]) => form.test(agent))?.[1]
  return [of(browsers), of(systems)].filter(Boolean).join(' · ') || agent.split(' ')[0] || ''
}
