import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

const dist = resolve(import.meta.dirname, '../dist')

// The server sends NAME.gz to a browser that takes it, so it compresses nothing while it serves.
function compress(): Plugin {
  return {
    name: 'compress',
    closeBundle() {
      for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
        const path = join(dist, name)
        if (/\.(html|js|css|svg|json|webmanifest)$/.test(name) && statSync(path).size > 1024) {
          writeFileSync(path + '.gz', gzipSync(readFileSync(path), { level: 9 }))
        }
      }
      writeFileSync(join(dist, '.gitkeep'), '')
    },
  }
}

// The page of a family is built by itself (--mode family), so that it carries no more of Vue than it uses.
export default defineConfig(({ mode }) => ({
  base: './', // works below any path of a proxy
  plugins: [vue(), compress()],
  define: {
    __VUE_OPTIONS_API__: false,
    __VUE_PROD_DEVTOOLS__: false,
    __VUE_I18N_LEGACY_API__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
  },
  build: {
    outDir: dist,
    emptyOutDir: mode !== 'family',
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the content policy forbids what is inlined
    rollupOptions: { input: resolve(import.meta.dirname, mode === 'family' ? 'family.html' : 'index.html') },
  },
}))
