// Stands in for the browser's own page when the link of a message is opened without a network: it says so, and opens by itself
// once there is one. It cannot tell that from a server that does not answer, and does not claim to. It is a service worker of the links (a/TOKEN) and of the page of a family, and keeps nothing of what these show.

const style = `:root { color-scheme: light dark; font: 112.5%/1.55 system-ui, -apple-system, "PingFang SC", "Microsoft YaHei", sans-serif }
body { max-width: 30rem; margin: 0 auto; padding: 1.5rem 1rem; background: Canvas; color: CanvasText }
h1 { font-size: 1.6rem; line-height: 1.35; margin: 0 } section + section { margin-top: 2.5rem }
button { font: inherit; font-weight: 600; width: 100%; min-height: 3.5rem; border: 0; border-radius: .75rem; background: #0b746a; color: #fff }
a { color: inherit }`

const script = `const again = () => location.reload()
for (const b of document.querySelectorAll('button')) b.onclick = again
const look = () => document.hidden || fetch(location.href, { method: 'HEAD', cache: 'no-store', redirect: 'manual', signal: AbortSignal.timeout(9000) }).then(r => r.status < 500 && again(), () => undefined)
addEventListener('online', look)
document.addEventListener('visibilitychange', look)
setInterval(look, 10000) // a phone says that it is online before it is`

const page = `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>暂时打不开 · Cannot be opened yet</title><style>${style}</style>
<main><section><h1>网络不通，或服务器没有应答。</h1><p>没有信号时，请到有信号的地方；恢复后会自动打开。</p><button>再试一次</button><p>情况紧急，请直接<a href="tel:120">拨打 120</a>。</p></section>
<section lang="en"><h1>No network, or the server does not answer.</h1><p>If there is no signal, please go where there is one; this opens by itself.</p><button>Try again</button><p>If it is urgent, <a href="tel:120">call 120</a>.</p></section></main>
<script>${script}</script></html>`

async function hash(text) {
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return `'sha256-${btoa(String.fromCharCode(...sum))}'`
}

async function offline() {
  const [styles, scripts] = await Promise.all([style, script].map(hash))
  return new Response(page, { status: 503, headers: {
    'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer',
    'Content-Security-Policy': `default-src 'none'; style-src ${styles}; script-src ${scripts}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  } })
}

addEventListener('install', () => self.skipWaiting())
addEventListener('fetch', (e) => {
  if (e.request.mode === 'navigate' && e.request.method === 'GET') e.respondWith(fetch(e.request).catch(offline))
})
