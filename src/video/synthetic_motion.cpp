#include "video/synthetic_motion.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

namespace actionclip {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;

double degrees(double value) { return value / 360 * kTurn; }

// The length in which a centre may lie so that a shape of this size stays inside but for a third of it.
double room_for(double size) { return 1 - 1.4 * size; }

double random_centre(RandomStream& random, double room) { return 0.5 + room * random.uniform(-0.5, 0.5); }

// A pose as a function of time in [0, 1].
using Path = std::function<Pose(double)>;

// Along one axis by most of the room there is; `axis` is Pose::x or Pose::y, towards larger values.
Path random_line(double Pose::*axis, RandomStream& random) {
  Pose pose = random_pose(random_size(random), random);
  const double room = room_for(pose.size);
  const double length = room * random.uniform(0.8, 1.0);
  const double start = random_centre(random, room - length) - length / 2;
  return [=](double t) mutable {
    pose.*axis = start + length * t;
    return pose;
  };
}

Path random_growth(RandomStream& random) {
  const double small = random.uniform(0.1, 0.13);
  const double large = random.uniform(0.25, 0.32);
  Pose pose = random_pose(large, random);
  return [=](double t) mutable {
    pose.size = small + (large - small) * t;
    return pose;
  };
}

// Both a turn and a circle begin near the top and end there, as a clock's hand does: where they begin says
// nothing of their direction, what comes next does.
double random_start(RandomStream& random) { return degrees(random.uniform(-30, 30)); }
double random_full_arc(RandomStream& random) { return degrees(random.uniform(320, 380)); }

Path random_turn(RandomStream& random) {
  Pose pose = random_pose(random_size(random), random);
  const double start = random_start(random);
  const double arc = random_full_arc(random);
  return [=](double t) mutable {
    pose.angle = start + arc * t;
    return pose;
  };
}

Path random_fade(RandomStream& random) {
  Pose pose = random_pose(random_size(random), random);
  const double faint = random.uniform(0.1, 0.25);
  const double full = random.uniform(0.8, 1.0);
  return [=](double t) mutable {
    pose.opacity = faint + (full - faint) * t;
    return pose;
  };
}

// Clockwise around a point by `arc` from `start` (0: above it), the shape itself not turning; the radius goes
// from `inner` x to 1 x a random one.
Path random_orbit(double inner, double start, double arc, RandomStream& random) {
  Pose pose = random_pose(random.uniform(0.13, 0.18), random);
  const double radius = random.uniform(0.22, 0.28);
  pose.x = random_centre(random, room_for(pose.size) - 2 * radius);
  pose.y = random_centre(random, room_for(pose.size) - 2 * radius);
  return [=](double t) {
    const double reach = radius * (inner + (1 - inner) * t);
    Pose moved = pose;
    moved.x += reach * std::sin(start + arc * t);
    moved.y -= reach * std::cos(start + arc * t);
    return moved;
  };
}

Path random_circle(RandomStream& random) {
  const double start = random_start(random);
  const double arc = random_full_arc(random);
  return random_orbit(1, start, arc, random);
}

Path random_spiral(RandomStream& random) {
  const double start = random.uniform(0, kTurn);
  const double arc = degrees(random.uniform(400, 560));
  return random_orbit(0.1, start, arc, random);
}

Path random_zigzag(RandomStream& random) {
  Path line = random_line(&Pose::x, random);
  const double height = random.uniform(0.12, 0.18);
  const double cycles = random.uniform(1.5, 2.0);
  const double phase = random.uniform(0, 1);
  const double y = random_centre(random, 0.3);
  return [=](double t) {
    Pose pose = line(t);
    const double saw = cycles * t + phase;
    pose.y = y + height * (4 * std::abs(saw - std::floor(saw + 0.5)) - 1);
    return pose;
  };
}

// One property of `pose` swings around its middle by `amplitude`; `steep` turns the sine into on and off.
Path random_swing(Pose pose, double Pose::*property, double middle, double amplitude, bool steep,
                  RandomStream& random) {
  const double cycles = random.uniform(1.5, 2.2);
  const double phase = random.uniform(0, 1);
  return [=](double t) mutable {
    const double wave = std::sin(kTurn * (cycles * t + phase));
    pose.*property = middle + amplitude * (steep ? std::clamp(8 * wave, -1.0, 1.0) : wave);
    return pose;
  };
}

Path random_blinking(RandomStream& random) {
  const Pose pose = random_pose(random_size(random), random);
  return random_swing(pose, &Pose::opacity, 0.5, 0.45, true, random);
}

Path random_pulsing(RandomStream& random) {
  constexpr double kMiddle = 0.19, kAmplitude = 0.08;
  const Pose pose = random_pose(kMiddle + kAmplitude, random);
  return random_swing(pose, &Pose::size, kMiddle, kAmplitude, false, random);
}

Path random_wobbling(RandomStream& random) {
  const Pose pose = random_pose(random_size(random), random);
  return random_swing(pose, &Pose::angle, pose.angle, degrees(50), false, random);
}

Path random_path(SyntheticMotion motion, RandomStream& random) {
  switch (motion) {
    case SyntheticMotion::kMovingLeft:
    case SyntheticMotion::kMovingRight:
      return random_line(&Pose::x, random);
    case SyntheticMotion::kMovingDown:
    case SyntheticMotion::kMovingUp:
      return random_line(&Pose::y, random);
    case SyntheticMotion::kShrinking:
    case SyntheticMotion::kGrowing:
      return random_growth(random);
    case SyntheticMotion::kTurningCounterclockwise:
    case SyntheticMotion::kTurningClockwise:
      return random_turn(random);
    case SyntheticMotion::kFadingOut:
    case SyntheticMotion::kFadingIn:
      return random_fade(random);
    case SyntheticMotion::kCirclingCounterclockwise:
    case SyntheticMotion::kCirclingClockwise:
      return random_circle(random);
    case SyntheticMotion::kZigzagging:
      return random_zigzag(random);
    case SyntheticMotion::kSpiralling:
      return random_spiral(random);
    case SyntheticMotion::kBlinking:
      return random_blinking(random);
    case SyntheticMotion::kPulsing:
      return random_pulsing(random);
    case SyntheticMotion::kWobbling:
      return random_wobbling(random);
  }
  return {};
}

// Motions that end where their path begins. Those without a counterpart run either way, so that order says
// nothing of them.
bool runs_backwards(SyntheticMotion motion, RandomStream& random) {
  const bool coin = random.chance(0.5);
  switch (motion) {
    case SyntheticMotion::kMovingLeft:
    case SyntheticMotion::kMovingUp:
    case SyntheticMotion::kShrinking:
    case SyntheticMotion::kTurningCounterclockwise:
    case SyntheticMotion::kFadingOut:
    case SyntheticMotion::kCirclingCounterclockwise:
      return true;
    case SyntheticMotion::kZigzagging:
    case SyntheticMotion::kSpiralling:
    case SyntheticMotion::kBlinking:
    case SyntheticMotion::kPulsing:
    case SyntheticMotion::kWobbling:
      return coin;
    default:
      return false;
  }
}

}  // namespace

double random_size(RandomStream& random) { return random.uniform(0.15, 0.28); }

Pose random_pose(double size, RandomStream& random) {
  Pose pose;
  pose.size = size;
  pose.x = random_centre(random, room_for(pose.size));
  pose.y = random_centre(random, room_for(pose.size));
  pose.angle = kTurn * static_cast<double>(random.below(4)) / 4 + degrees(random.uniform(-20, 20));
  pose.opacity = random.chance(0.15) ? random.uniform(0.3, 0.5) : random.uniform(0.75, 1.0);
  return pose;
}

std::vector<Pose> random_motion(SyntheticMotion motion, std::int64_t frames, RandomStream& random) {
  const Path path = random_path(motion, random);
  const bool backwards = runs_backwards(motion, random);
  const double unevenness = random.uniform(-0.5, 0.5);  // below 1: the shape never stands still or turns back
  std::vector<Pose> poses;
  for (std::int64_t i = 0; i < frames; ++i) {
    const double t = static_cast<double>(i) / static_cast<double>(frames - 1);
    poses.push_back(path(t + unevenness * std::sin(kTurn * t) / kTurn));
  }
  if (backwards) std::reverse(poses.begin(), poses.end());
  return poses;
}

}  // namespace actionclip
