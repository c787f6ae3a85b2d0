// Events of the current stream of a device other than the CPU.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace actionclip {

// An event behind all that the current stream of `device` has been given. Only events with the flag
// BACKEND_DEFAULT tell time.
inline c10::Event record_event(c10::Device device, c10::EventFlag flag) {
  c10::Event event(device.type(), flag);
  event.record(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
  return event;
}

}  // namespace actionclip
