import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

const browser = { testTimeout: 180_000, hookTimeout: 120_000, fileParallelism: false }

export default defineConfig({
  plugins: [vue()],
  test: {
    projects: [
      { extends: true, test: { name: 'unit', include: ['src/**/*.test.ts'], environment: 'happy-dom' } },
      { extends: true, test: { name: 'browser', include: ['tests/**/*.test.ts'], environment: 'node', ...browser } },
      { extends: true, test: { name: 'speed', include: ['tests/speed.ts'], environment: 'node', ...browser } },
      { extends: true, test: { name: 'screenshots', include: ['tests/screenshots.ts'], environment: 'node', ...browser, testTimeout: 1_200_000 } },
    ],
  },
})
