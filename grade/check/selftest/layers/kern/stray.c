/* SPDX-License-Identifier: MIT -- want: layers: in no layer */
