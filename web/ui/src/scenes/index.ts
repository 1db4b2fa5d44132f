// The scenes of a community, as data.

import type { Scene } from './scene'

const yes = (v: unknown) => v === true
const no = (v: unknown) => v === false
const is = (...words: string[]) => (v: unknown) => words.includes(String(v))
const above = (limit: number) => (v: unknown) => typeof v === 'number' && v >= limit

export const scenes: Scene[] = [
  {
    id: 'energy', categories: ['energy'],
    figures: [
      { name: { zh: '用电功率', en: 'Load' }, type: 'electricity_meter', field: 'power_w', fn: 'sum' },
      { name: { zh: '光伏出力', en: 'PV output' }, type: 'pv_inverter', field: 'ac_power_w', fn: 'sum' },
      { name: { zh: '光伏今日发电', en: 'PV today' }, type: 'pv_inverter', field: 'energy_today_kwh', fn: 'sum' },
      { name: { zh: '最低电压', en: 'Lowest voltage' }, type: 'electricity_meter', field: 'voltage_l1_v', fn: 'min' },
      { name: { zh: '已断闸', en: 'Switched off' }, type: 'electricity_meter', field: 'relay_closed', fn: 'count', is: no, tone: 'high' },
    ],
    groups: [
      { type: 'electricity_meter', columns: [{ field: 'power_w' }, { field: 'energy_import_kwh' }, { field: 'voltage_l1_v', high: 235.4, low: 198 }, { field: 'residual_current_ma', high: 300 }, { field: 'cable_temp_c', high: 70 }] },
      { type: 'pv_inverter', columns: [{ field: 'ac_power_w' }, { field: 'energy_today_kwh' }, { field: 'irradiance_wm2' }, { field: 'heatsink_temp_c', high: 80 }, { field: 'state', bad: is('FAULT') }] },
      { type: 'heat_meter', columns: [{ field: 'power_kw' }, { field: 'supply_temp_c' }, { field: 'return_temp_c' }, { field: 'energy_kwh' }] },
      { type: 'street_light', columns: [{ field: 'power_w' }, { field: 'dim_pct', bar: 100 }, { field: 'power_state' }, { field: 'status', bad: is('defectiveLamp', 'brokenLantern', 'columnIssue') }] },
    ],
  },
  {
    id: 'waste', categories: ['waste'],
    figures: [
      { name: { zh: '已满（≥ 80%）', en: 'Full (≥ 80%)' }, type: 'waste_station', field: 'fill_level_pct', fn: 'count', is: above(80), part: true, tone: 'medium' },
      { name: { zh: '平均满溢度', en: 'Mean fill' }, type: 'waste_station', field: 'fill_level_pct', fn: 'mean', digits: 0 },
      { name: { zh: '累计投放', en: 'Delivered' }, type: 'waste_station', field: 'weight_total_kg', fn: 'sum', digits: 0 },
      { name: { zh: '投放门卡阻', en: 'Doors jammed' }, type: 'waste_station', field: 'door_state', fn: 'count', is: is('jammed'), tone: 'high' },
      { name: { zh: '箱内最高温度', en: 'Hottest bin' }, type: 'waste_station', field: 'temperature_c', fn: 'max', limit: 60, tone: 'critical' },
    ],
    groups: [
      { type: 'waste_station', columns: [{ field: 'fill_level_pct', bar: 100, high: 80 }, { field: 'weight_kg' }, { field: 'temperature_c', high: 60 }, { field: 'door_state', bad: is('jammed') }, { field: 'status', bad: is('burning', 'vandalized', 'dropped', 'lidOpen') }] },
      { type: 'waste_container', columns: [{ field: 'fill_level_pct', bar: 100, high: 80 }, { field: 'temperature_c', high: 60 }, { field: 'position' }] },
      { type: 'waste_conveyance', columns: [{ field: 'chute_level_pct', bar: 100, high: 80 }, { field: 'duct_pressure_kpa' }, { field: 'blower_vibration_mms', high: 7.1 }, { field: 'phase' }] },
    ],
    lists: [
      { id: 'deliveries', name: { zh: '投放', en: 'Deliveries' }, kinds: ['waste_station.delivery'], by: 'waste_kind', fields: [
        { field: 'waste_kind', name: { zh: '种类', en: 'kind' } }, { field: 'net_weight_kg', name: { zh: '净重', en: 'weight' } }, { field: 'inlet', name: { zh: '投放口', en: 'inlet' } },
        { field: 'points', name: { zh: '积分', en: 'points' } }, { field: 'contamination', name: { zh: '杂质', en: 'contamination' } },
      ] },
      { id: 'collections', name: { zh: '清运与输送', en: 'Collections and conveyance' }, kinds: ['waste_station.emptied', 'waste_container.emptied', 'waste_conveyance.cycle_end', 'waste_conveyance.blockage', 'waste_conveyance.valve_jammed', 'waste_station.door_jammed', 'waste_station.mis_sort_detected'], fields: [
        { field: 'waste_kind', name: { zh: '种类', en: 'kind' } }, { field: 'removed_kg', name: { zh: '清运', en: 'removed' } }, { field: 'conveyed_kg', name: { zh: '输送', en: 'conveyed' } }, { field: 'energy_kwh', name: { zh: '用电', en: 'energy' } }, { field: 'segment', name: { zh: '管段', en: 'segment' } }, { field: 'node', name: { zh: '节点', en: 'node' } },
      ] },
    ],
  },
  {
    id: 'charging', categories: ['charging', 'energy'],
    figures: [
      { name: { zh: '汽车充电中', en: 'Cars charging' }, type: 'ev_charger', field: 'status', fn: 'count', is: is('Charging'), part: true },
      { name: { zh: '汽车充电功率', en: 'Power of cars' }, type: 'ev_charger', field: 'power_w', fn: 'sum' },
      { name: { zh: '电动自行车插座使用中', en: 'E-bike sockets in use' }, type: 'ebike_charger', field: 'relay_on', fn: 'count', is: yes, part: true },
      { name: { zh: '充电棚最高温度', en: 'Hottest shed' }, type: 'ebike_charger', field: 'shed_temp_c', fn: 'max', limit: 50, tone: 'critical' },
      { name: { zh: '故障', en: 'Faulted' }, type: 'ev_charger', field: 'status', fn: 'count', is: is('Faulted'), tone: 'high' },
    ],
    groups: [
      { type: 'ev_charger', columns: [{ field: 'power_w' }, { field: 'session_energy_wh' }, { field: 'soc_pct', bar: 100 }, { field: 'temperature_c', high: 70 }, { field: 'status', bad: is('Faulted') }] },
      { type: 'ebike_charger', columns: [{ field: 'power_w' }, { field: 'session_minutes' }, { field: 'socket_temp_c', high: 60 }, { field: 'shed_temp_c', high: 50 }, { field: 'smoke', bad: yes }] },
    ],
    lists: [
      { id: 'sessions', name: { zh: '充电记录', en: 'Charging sessions' }, kinds: ['ev_charger.session_end', 'ebike_charger.session_end'], by: 'end_reason', fields: [
        { field: 'connector', name: { zh: '枪口', en: 'connector' } }, { field: 'socket', name: { zh: '插座', en: 'socket' } }, { field: 'energy_wh', name: { zh: '电量', en: 'energy' } }, { field: 'minutes', name: { zh: '时长', en: 'for' } },
        { field: 'cost', name: { zh: '费用', en: 'cost' } }, { field: 'fee', name: { zh: '费用', en: 'fee' } }, { field: 'reason', name: { zh: '结束原因', en: 'ended by' } }, { field: 'end_reason', name: { zh: '结束原因', en: 'ended by' } },
      ] },
      { id: 'faults', name: { zh: '故障与断电', en: 'Faults and cut-offs' }, kinds: ['ev_charger.emergency_stop', 'ev_charger.authorize_rejected', 'ev_charger.occupied_by_fuel_car', 'ev_charger.fault', 'ebike_charger.overload_trip', 'ebike_charger.overtemp_trip', 'ebike_charger.smoke_alarm', 'ebike_charger.fault'], fields: [
        { field: 'socket', name: { zh: '插座', en: 'socket' } }, { field: 'power_w', name: { zh: '功率', en: 'power' } }, { field: 'temp_c', name: { zh: '温度', en: 'temperature' } }, { field: 'code', name: { zh: '代码', en: 'code' } }, { field: 'text', name: { zh: '说明', en: 'text' } },
      ] },
    ],
  },
  {
    id: 'elders', categories: ['health'], elders: true,
    figures: [
      { name: { zh: '手环佩戴中', en: 'Bands worn' }, type: 'wearable_band', field: 'wear_state', fn: 'count', is: is('worn'), part: true },
      { name: { zh: '家中有人', en: 'Homes with somebody in' }, type: 'presence_radar', field: 'presence', fn: 'count', is: yes, part: true },
      { name: { zh: '手环电量低', en: 'Bands low on battery' }, type: 'wearable_band', field: 'battery_pct', fn: 'count', is: v => typeof v === 'number' && v < 20, tone: 'medium' },
    ],
    groups: [
      { type: 'wearable_band', columns: [{ field: 'heart_rate_bpm', high: 130, low: 40 }, { field: 'spo2_pct', low: 90 }, { field: 'activity' }, { field: 'wear_state', bad: is('not_worn') }, { field: 'battery_pct', bar: 100, low: 20 }] },
      { type: 'presence_radar', columns: [{ field: 'motion_level', bar: 100 }, { field: 'presence' }, { field: 'posture' }] },
      { type: 'contact_sensor', columns: [{ field: 'open' }, { field: 'battery_pct', bar: 100, low: 20 }] },
      { type: 'sos_button', columns: [{ field: 'battery_pct', bar: 100, low: 20 }] },
    ],
    lists: [
      { id: 'care', name: { zh: '求助与跌倒', en: 'Calls for help and falls' }, kinds: ['wearable_band.sos', 'wearable_band.fall', 'wearable_band.removed', 'wearable_band.worn', 'sos_button.sos', 'sos_button.sos_cancelled', 'presence_radar.fall', 'presence_radar.no_motion'], fields: [
        { field: 'confidence', name: { zh: '置信度', en: 'confidence' } }, { field: 'recovered', name: { zh: '已自行恢复', en: 'recovered' } }, { field: 'seconds', name: { zh: '时长', en: 'for' } },
      ] },
    ],
  },
  {
    id: 'safety', categories: ['fire', 'security', 'gas'],
    figures: [
      { name: { zh: '烟雾报警', en: 'Smoke' }, type: 'smoke_detector', field: 'smoke', fn: 'count', is: yes, part: true, tone: 'critical' },
      { name: { zh: '燃气报警', en: 'Gas alarms' }, type: 'gas_detector', field: 'alarm_state', fn: 'count', is: is('mild', 'heavy'), part: true, tone: 'critical' },
      { name: { zh: '消防通道被占', en: 'Fire lanes blocked' }, type: 'fire_lane_camera', field: 'occupied', fn: 'count', is: yes, part: true, tone: 'high' },
      { name: { zh: '最低消防水压', en: 'Lowest fire water' }, type: 'fire_equipment', field: 'water_pressure_mpa', fn: 'min' },
      { name: { zh: '热成像最高', en: 'Hottest spot' }, type: 'thermal_camera', field: 'max_temp_c', fn: 'max', limit: 60, tone: 'critical' },
    ],
    groups: [
      { type: 'smoke_detector', columns: [{ field: 'obscuration_db_per_m' }, { field: 'smoke', bad: yes }, { field: 'temperature_c', high: 57 }, { field: 'contaminated', bad: yes }, { field: 'battery_pct', bar: 100, low: 20 }] },
      { type: 'gas_detector', columns: [{ field: 'gas_ppm', high: 500 }, { field: 'co_ppm', high: 50 }, { field: 'alarm_state', bad: is('mild', 'heavy') }, { field: 'valve_open' }] },
      { type: 'fire_lane_camera', columns: [{ field: 'occupied_s' }, { field: 'occupied', bad: yes }, { field: 'clear_width_m', low: 4 }] },
      { type: 'falling_object_camera', columns: [{ field: 'visibility_score', bar: 1 }, { field: 'armed', bad: no }] },
      { type: 'thermal_camera', columns: [{ field: 'max_temp_c', high: 60 }, { field: 'delta_temp_c' }, { field: 'ambient_temp_c' }] },
      { type: 'fire_equipment', columns: [{ field: 'water_pressure_mpa', low: 0.1 }, { field: 'tank_level_m' }, { field: 'pump_auto', bad: no }, { field: 'pump_running' }] },
    ],
    lists: [
      { id: 'safety', name: { zh: '安全事件', en: 'Safety events' }, kinds: ['smoke_detector.smoke_alarm', 'smoke_detector.smoke_cleared', 'gas_detector.gas_alarm', 'gas_detector.gas_cleared', 'falling_object_camera.object_thrown', 'thermal_camera.hotspot', 'thermal_camera.flame', 'thermal_camera.ebike_indoor', 'fire_equipment.hydrant_opened', 'fire_equipment.pump_started', 'fire_equipment.extinguisher_removed'], fields: [
        { field: 'lel_pct', name: { zh: '浓度', en: 'concentration' } }, { field: 'temp_c', name: { zh: '温度', en: 'temperature' } }, { field: 'object', name: { zh: '物体', en: 'object' } }, { field: 'origin_floor', name: { zh: '来自楼层', en: 'from floor' } }, { field: 'floor', name: { zh: '楼层', en: 'floor' } }, { field: 'confidence', name: { zh: '置信度', en: 'confidence' } },
      ] },
      { id: 'lanes', name: { zh: '消防通道', en: 'Fire lanes' }, kinds: ['fire_lane_camera.occupied', 'fire_lane_camera.released'], by: 'occupant', fields: [
        { field: 'occupant', name: { zh: '占用', en: 'by' } }, { field: 'plate_hash', name: { zh: '车牌（加密）', en: 'plate (keyed hash)' } }, { field: 'duration_s', name: { zh: '时长', en: 'for' } },
      ] },
    ],
  },
  {
    id: 'access', categories: ['access', 'parking', 'traffic', 'security'],
    figures: [
      { name: { zh: '车位占用', en: 'Bays taken' }, type: 'parking_sensor', field: 'occupied', fn: 'count', is: yes, part: true },
      { name: { zh: '道闸抬起', en: 'Barriers up' }, type: 'lpr_camera', field: 'barrier_state', fn: 'count', is: is('open'), part: true },
      { name: { zh: '门未关', en: 'Doors open' }, type: 'access_controller', field: 'door_state', fn: 'count', is: is('held_open', 'forced_open'), part: true, tone: 'medium' },
      { name: { zh: '最拥挤场所', en: 'Fullest place' }, type: 'people_counter', field: 'occupancy_pct', fn: 'max', digits: 0 },
    ],
    groups: [
      { type: 'access_controller', columns: [{ field: 'latency_ms', high: 2000 }, { field: 'door_state', bad: is('held_open', 'forced_open', 'jammed') }, { field: 'mains_ok', bad: no }] },
      { type: 'parking_sensor', columns: [{ field: 'occupancy_pct', bar: 100 }, { field: 'status' }, { field: 'occupied' }, { field: 'share_state' }] },
      { type: 'lpr_camera', columns: [{ field: 'confidence_mean', bar: 1 }, { field: 'barrier_state' }] },
      { type: 'people_counter', columns: [{ field: 'occupancy_pct', bar: 100, high: 90 }] },
    ],
    lists: [
      { id: 'passages', name: { zh: '通行记录', en: 'Passages' }, kinds: ['access_controller.pass', 'access_controller.door_forced', 'access_controller.door_held_open'], by: 'person_type', fields: [
        { field: 'door', name: { zh: '门', en: 'door' } }, { field: 'person_type', name: { zh: '人员', en: 'who' } }, { field: 'method', name: { zh: '方式', en: 'by' } }, { field: 'result', name: { zh: '结果', en: 'result' } }, { field: 'direction', name: { zh: '方向', en: 'direction' } }, { field: 'seconds', name: { zh: '时长', en: 'for' } },
      ] },
      { id: 'vehicles', name: { zh: '车辆进出', en: 'Vehicles' }, kinds: ['lpr_camera.plate_read', 'lpr_camera.barrier_hit', 'lpr_camera.blacklist_hit'], by: 'owner_class', fields: [
        { field: 'plate_hash', name: { zh: '车牌（加密）', en: 'plate (keyed hash)' } }, { field: 'owner_class', name: { zh: '车辆类别', en: 'class' } }, { field: 'direction', name: { zh: '方向', en: 'direction' } }, { field: 'dwell_s', name: { zh: '停留', en: 'stayed' } },
      ] },
      { id: 'bays', name: { zh: '车位', en: 'Parking bays' }, kinds: ['parking_sensor.arrived', 'parking_sensor.left', 'parking_sensor.share_opened', 'parking_sensor.share_closed', 'parking_sensor.misuse'], fields: [
        { field: 'spot', name: { zh: '车位', en: 'bay' } }, { field: 'duration_s', name: { zh: '停放', en: 'parked' } }, { field: 'spots', name: { zh: '共享车位', en: 'bays shared' } }, { field: 'kind', name: { zh: '类别', en: 'kind' } },
      ] },
    ],
  },
  {
    id: 'environment', categories: ['environment', 'water', 'flood'],
    figures: [
      { name: { zh: 'AQI', en: 'AQI' }, type: 'environment_station', field: 'aqi', fn: 'max', digits: 0, limit: 150, tone: 'medium' },
      { name: { zh: 'PM2.5', en: 'PM2.5' }, type: 'environment_station', field: 'pm25_ugm3', fn: 'mean', digits: 0 },
      { name: { zh: '气温', en: 'Temperature' }, type: 'environment_station', field: 'temperature_c', fn: 'mean' },
      { name: { zh: '噪声', en: 'Noise' }, type: 'environment_station', field: 'laeq_dba', fn: 'max', digits: 0 },
      { name: { zh: '最大积水', en: 'Deepest water' }, type: 'water_level_sensor', field: 'depth_cm', fn: 'max', limit: 15, tone: 'high' },
      { name: { zh: '漏水', en: 'Leaks' }, type: 'water_leak_sensor', field: 'leak', fn: 'count', is: yes, part: true, tone: 'high' },
    ],
    groups: [
      { type: 'environment_station', columns: [{ field: 'pm25_ugm3', high: 75 }, { field: 'pm10_ugm3', high: 150 }, { field: 'laeq_dba', high: 60 }, { field: 'temperature_c' }, { field: 'humidity_pct', bar: 100 }] },
      { type: 'water_level_sensor', columns: [{ field: 'depth_cm', high: 15 }, { field: 'level_m' }, { field: 'rise_cm_per_h' }, { field: 'pump_on' }, { field: 'cover_open', bad: yes }] },
      { type: 'indoor_environment', columns: [{ field: 'co2_ppm', high: 1000 }, { field: 'temperature_c' }, { field: 'humidity_pct', bar: 100 }, { field: 'pm25_ugm3', high: 50 }] },
      { type: 'water_leak_sensor', columns: [{ field: 'temperature_c' }, { field: 'leak', bad: yes }] },
    ],
  },
  {
    id: 'bus', categories: ['traffic', 'mobility'],
    figures: [
      { name: { zh: '在途车辆', en: 'Buses under way' }, type: 'bus_tracker', field: 'speed_kmh', fn: 'count', is: above(3), part: true },
      { name: { zh: '最大晚点', en: 'Longest delay' }, type: 'bus_tracker', field: 'delay_s', fn: 'max', limit: 600, tone: 'medium' },
      { name: { zh: '最低电量', en: 'Lowest charge' }, type: 'bus_tracker', field: 'soc_pct', fn: 'min', digits: 0 },
    ],
    groups: [
      { type: 'bus_tracker', columns: [{ field: 'speed_kmh' }, { field: 'delay_s', high: 600 }, { field: 'soc_pct', bar: 100, low: 20 }, { field: 'occupancy_status' }, { field: 'service_status' }] },
    ],
    lists: [
      { id: 'trips', name: { zh: '班次与到站', en: 'Trips and stops' }, kinds: ['bus_tracker.trip_start', 'bus_tracker.trip_end', 'bus_tracker.stop_arrived'], fields: [
        { field: 'trip_id', name: { zh: '班次', en: 'trip' } }, { field: 'stop_id', name: { zh: '站点', en: 'stop' } }, { field: 'boarding', name: { zh: '上车', en: 'boarding' } }, { field: 'alighting', name: { zh: '下车', en: 'alighting' } }, { field: 'delay_s', name: { zh: '晚点', en: 'late by' } },
      ] },
      { id: 'driving', name: { zh: '行车异常', en: 'Driving' }, kinds: ['bus_tracker.off_route', 'bus_tracker.harsh_brake', 'bus_tracker.driver_sos'], fields: [{ field: 'distance_m', name: { zh: '偏离', en: 'distance' } }] },
    ],
  },
]
