// The page of a family: an entry of its own, so that a phone on a slow network loads little.

import { createApp } from 'vue'
import Family from './Family.vue'
import './family.css'

createApp(Family).mount('#family')
