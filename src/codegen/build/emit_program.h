/* From a program's text without source to one that can be compiled: kernels get schedules, functions and steps, serial
 * loops become one step (serial_tree.h). */
#pragma once
#include "program.h"
#include "target.h"

/* Changes a program that was read. Its kernel steps stand for whole kernels. `loops_stay`: as steps. Throws. */
void gn_program_emit(gn_program *, const gn_target *, bool loops_stay);
