/* (kernel flash (syms B T (D :is 64))
 *   (bufs (Q f32 B T D) (Kx f32 B T D) (V f32 B T D) (O f32 B T D))
 *   (axes (h B) (i T) (j (add i 1)) (jj (add i 1)) (c D) (e D) (c2 D) (j2 T))
 *   (def kt (h c2 j2) (load Kx h j2 c2))
 *   (def s (h i j) (sum (c) (mul (load Q h i c) (kt h c j))))
 *   (def sv (h i j) (mul 0.125 (s h i j)))
 *   (def m (h i) (max (j) (sv h i j)))
 *   (def p (h i j) (exp (sub (sv h i j) (m h i))))
 *   (def l (h i) (sum (j) (p h i j)))
 *   (def o (h i e) (sum (jj) (mul (p h i jj) (load V h jj e))))
 *   (store set O (h i e) (div (o h i e) (l h i)))) */
void flash_0(void *const *arg, const int64_t *sym, int64_t part)
{
    const float *const Q = (const float *)arg[0];
    const float *const Kx = (const float *)arg[1];
    const float *const V = (const float *)arg[2];
    float *const O = (float *)arg[3];
    float *const kt = (float *)arg[4];
    const int64_t T = sym[1];
    const int64_t h = part;
    for (int64_t jp = 0; jp < (T + 31)/32; jp++) {
        for (int64_t c0 = 0; c0 < 4; c0++) {
            gn_tr16_f32(kt + 512*c0 + 2048*jp, 32, Kx + 64*T*h + 16*c0 + 2048*jp, 64, 16, T - 32*jp);
            gn_tr16_f32(kt + 512*c0 + 2048*jp + 16, 32, Kx + 64*T*h + 16*c0 + 2048*jp + 1024, 64, 16, T - 32*jp - 16);
        }
    }
    for (int64_t ir = 0; ir < (T + 1)/2; ir++) {
        float m_0, m_1;
        float m_c_0, m_c_1;
        float l_0, l_1;
        gn_f32x16 l_a_0, l_a_1;
        gn_f32x16 o[2][4];
        m_0 = (-GN_INF_F32);
        m_1 = (-GN_INF_F32);
        l_a_0 = gn_splat_f32x16(0.0f);
        l_a_1 = gn_splat_f32x16(0.0f);
        o[0][0] = gn_splat_f32x16(0.0f);
        o[0][1] = gn_splat_f32x16(0.0f);
        o[0][2] = gn_splat_f32x16(0.0f);
        o[0][3] = gn_splat_f32x16(0.0f);
        o[1][0] = gn_splat_f32x16(0.0f);
        o[1][1] = gn_splat_f32x16(0.0f);
        o[1][2] = gn_splat_f32x16(0.0f);
        o[1][3] = gn_splat_f32x16(0.0f);
        const _Bool s1 = 2*ir < T;
        const _Bool s2 = 2*ir + 1 < T;
        for (int64_t j0 = 0; j0 < ir/16; j0++) {
            gn_f32x16 s_0_0, s_0_1, s_1_0, s_1_1;
            gn_f32x16 sv_0_0, sv_0_1, sv_1_0, sv_1_1;
            float mb_0, mb_1;
            gn_f32x16 mb_a_0, mb_a_1;
            _Alignas(64) float p[64];
            s_0_0 = gn_splat_f32x16(0.0f);
            s_0_1 = gn_splat_f32x16(0.0f);
            s_1_0 = gn_splat_f32x16(0.0f);
            s_1_1 = gn_splat_f32x16(0.0f);
            GN_UNROLL(4)
            for (int64_t c = 0; c < 64; c++) {
                const float s3 = Q[64*T*h + c + 64*gn_min_i64(T - 1, 2*ir)];
                const gn_f32x16 v4 = gn_load_f32x16(kt + 32*c + 2048*j0);
                s_0_0 = gn_fma_f32x16(gn_splat_f32x16(s3), v4, s_0_0);
                const gn_f32x16 v6 = gn_load_f32x16(kt + 32*c + 2048*j0 + 16);
                s_0_1 = gn_fma_f32x16(gn_splat_f32x16(s3), v6, s_0_1);
                const float s8 = Q[64*T*h + c + 64*gn_min_i64(T - 1, 2*ir + 1)];
                s_1_0 = gn_fma_f32x16(gn_splat_f32x16(s8), v4, s_1_0);
                s_1_1 = gn_fma_f32x16(gn_splat_f32x16(s8), v6, s_1_1);
            }
            sv_0_0 = gn_splat_f32x16(0.125f) * s_0_0;
            sv_0_1 = gn_splat_f32x16(0.125f) * s_0_1;
            sv_1_0 = gn_splat_f32x16(0.125f) * s_1_0;
            sv_1_1 = gn_splat_f32x16(0.125f) * s_1_1;
            mb_a_0 = sv_0_0;
            mb_a_0 = gn_max_f32x16(mb_a_0, sv_0_1);
            mb_a_1 = sv_1_0;
            mb_a_1 = gn_max_f32x16(mb_a_1, sv_1_1);
            mb_0 = gn_hmax_f32x16(mb_a_0);
            mb_1 = gn_hmax_f32x16(mb_a_1);
            const float s19 = gn_max_f32(m_0, mb_0);
            const float s20 = gn_max_f32(s19, (-3.4028235e+38f));
            const float s21 = m_0 - s20;
            const float s22 = gn_exp_f32(s21);
            m_0 = s19;
            m_c_0 = s22;
            const float s23 = gn_max_f32(m_1, mb_1);
            const float s24 = gn_max_f32(s23, (-3.4028235e+38f));
            const float s25 = m_1 - s24;
            const float s26 = gn_exp_f32(s25);
            m_1 = s23;
            m_c_1 = s26;
            const float s27 = gn_max_f32(m_0, (-3.4028235e+38f));
            const gn_f32x16 v28 = sv_0_0 - gn_splat_f32x16(s27);
            const gn_f32x16 v29 = gn_exp_f32x16(v28);
            const gn_f32x16 v30 = s1 ? v29 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p, v30);
            const gn_f32x16 v31 = sv_0_1 - gn_splat_f32x16(s27);
            const gn_f32x16 v32 = gn_exp_f32x16(v31);
            const gn_f32x16 v33 = s1 ? v32 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 16, v33);
            const float s34 = gn_max_f32(m_1, (-3.4028235e+38f));
            const gn_f32x16 v35 = sv_1_0 - gn_splat_f32x16(s34);
            const gn_f32x16 v36 = gn_exp_f32x16(v35);
            const gn_f32x16 v37 = s2 ? v36 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 32, v37);
            const gn_f32x16 v38 = sv_1_1 - gn_splat_f32x16(s34);
            const gn_f32x16 v39 = gn_exp_f32x16(v38);
            const gn_f32x16 v40 = s2 ? v39 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 48, v40);
            l_a_0 = l_a_0 * gn_splat_f32x16(m_c_0);
            l_a_1 = l_a_1 * gn_splat_f32x16(m_c_1);
            l_a_0 = l_a_0 + v30;
            l_a_0 = l_a_0 + v33;
            l_a_1 = l_a_1 + v37;
            l_a_1 = l_a_1 + v40;
            GN_UNROLLED(4)
            for (int64_t eu = 0; eu < 4; eu++) {
                o[0][eu] = o[0][eu] * gn_splat_f32x16(m_c_0);
            }
            GN_UNROLLED(4)
            for (int64_t eu = 0; eu < 4; eu++) {
                o[1][eu] = o[1][eu] * gn_splat_f32x16(m_c_1);
            }
            GN_UNROLL(4)
            for (int64_t jq = 0; jq < 32; jq++) {
                gn_f32x16 loads[4];
                const float s49 = p[jq];
                GN_UNROLLED(4)
                for (int64_t eu = 0; eu < 4; eu++) {
                    const gn_f32x16 v50 = gn_load_f32x16(V + 64*T*h + 16*eu + 2048*j0 + 64*jq);
                    loads[eu] = v50;
                    o[0][eu] = gn_fma_f32x16(gn_splat_f32x16(s49), v50, o[0][eu]);
                }
                const float s52 = p[jq + 32];
                GN_UNROLLED(4)
                for (int64_t eu = 0; eu < 4; eu++) {
                    o[1][eu] = gn_fma_f32x16(gn_splat_f32x16(s52), loads[eu], o[1][eu]);
                }
            }
        }
        for (int64_t j0 = ir/16; j0 < gn_div_i64(gn_min_i64(T - 1, 2*ir + 1), 32) + 1; j0++) {
            gn_f32x16 s_0_0, s_0_1, s_1_0, s_1_1;
            gn_f32x16 sv_0_0, sv_0_1, sv_1_0, sv_1_1;
            float mb_0, mb_1;
            gn_f32x16 mb_a_0, mb_a_1;
            _Alignas(64) float p[64];
            s_0_0 = gn_splat_f32x16(0.0f);
            s_0_1 = gn_splat_f32x16(0.0f);
            s_1_0 = gn_splat_f32x16(0.0f);
            s_1_1 = gn_splat_f32x16(0.0f);
            const gn_b16 m54 = gn_below_b16(gn_min_i64(T - 1, 2*ir) + 1 - 32*j0);
            const gn_b16 m55 = gn_below_b16(gn_min_i64(T - 1, 2*ir) - 32*j0 - 15);
            const gn_b16 m56 = gn_below_b16(gn_min_i64(T - 1, 2*ir + 1) + 1 - 32*j0);
            const gn_b16 m57 = gn_below_b16(gn_min_i64(T - 1, 2*ir + 1) - 32*j0 - 15);
            GN_UNROLL(4)
            for (int64_t c = 0; c < 64; c++) {
                const float s58 = Q[64*T*h + c + 64*gn_min_i64(T - 1, 2*ir)];
                const gn_f32x16 v59 = gn_loadm_f32x16(kt, 32*c + 2048*j0, m54);
                s_0_0 = gn_fma_f32x16(gn_splat_f32x16(s58), v59, s_0_0);
                const gn_f32x16 v61 = gn_loadm_f32x16(kt, 32*c + 2048*j0 + 16, m55);
                s_0_1 = gn_fma_f32x16(gn_splat_f32x16(s58), v61, s_0_1);
                const float s63 = Q[64*T*h + c + 64*gn_min_i64(T - 1, 2*ir + 1)];
                const gn_f32x16 v64 = gn_loadm_f32x16(kt, 32*c + 2048*j0, m56);
                s_1_0 = gn_fma_f32x16(gn_splat_f32x16(s63), v64, s_1_0);
                const gn_f32x16 v66 = gn_loadm_f32x16(kt, 32*c + 2048*j0 + 16, m57);
                s_1_1 = gn_fma_f32x16(gn_splat_f32x16(s63), v66, s_1_1);
            }
            sv_0_0 = gn_splat_f32x16(0.125f) * s_0_0;
            sv_0_1 = gn_splat_f32x16(0.125f) * s_0_1;
            sv_1_0 = gn_splat_f32x16(0.125f) * s_1_0;
            sv_1_1 = gn_splat_f32x16(0.125f) * s_1_1;
            mb_a_0 = gn_sel_f32x16(m54, sv_0_0, gn_splat_f32x16((-GN_INF_F32)));
            const gn_f32x16 v73 = gn_max_f32x16(mb_a_0, sv_0_1);
            mb_a_0 = gn_sel_f32x16(m55, v73, mb_a_0);
            mb_a_1 = gn_sel_f32x16(m56, sv_1_0, gn_splat_f32x16((-GN_INF_F32)));
            const gn_f32x16 v76 = gn_max_f32x16(mb_a_1, sv_1_1);
            mb_a_1 = gn_sel_f32x16(m57, v76, mb_a_1);
            mb_0 = gn_hmax_f32x16(mb_a_0);
            mb_1 = gn_hmax_f32x16(mb_a_1);
            const float s80 = gn_max_f32(m_0, mb_0);
            const _Bool s81 = j0 < gn_div_i64(gn_min_i64(T - 1, 2*ir), 32) + 1;
            const float s82 = s81 ? s80 : m_0;
            const float s83 = gn_max_f32(s80, (-3.4028235e+38f));
            const float s84 = m_0 - s83;
            const float s85 = gn_exp_f32(s84);
            const float s86 = s81 ? s85 : 1.0f;
            m_0 = s82;
            m_c_0 = s86;
            const float s87 = gn_max_f32(m_1, mb_1);
            const _Bool s88 = j0 < gn_div_i64(gn_min_i64(T - 1, 2*ir + 1), 32) + 1;
            const float s89 = s88 ? s87 : m_1;
            const float s90 = gn_max_f32(s87, (-3.4028235e+38f));
            const float s91 = m_1 - s90;
            const float s92 = gn_exp_f32(s91);
            const float s93 = s88 ? s92 : 1.0f;
            m_1 = s89;
            m_c_1 = s93;
            const float s94 = gn_max_f32(m_0, (-3.4028235e+38f));
            const gn_f32x16 v95 = sv_0_0 - gn_splat_f32x16(s94);
            const gn_f32x16 v96 = gn_exp_f32x16(v95);
            const gn_f32x16 v97 = gn_sel_f32x16(m54, v96, gn_splat_f32x16(0.0f));
            const gn_f32x16 v98 = s1 ? v97 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p, v98);
            const gn_f32x16 v99 = sv_0_1 - gn_splat_f32x16(s94);
            const gn_f32x16 v100 = gn_exp_f32x16(v99);
            const gn_f32x16 v101 = gn_sel_f32x16(m55, v100, gn_splat_f32x16(0.0f));
            const gn_f32x16 v102 = s1 ? v101 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 16, v102);
            const float s103 = gn_max_f32(m_1, (-3.4028235e+38f));
            const gn_f32x16 v104 = sv_1_0 - gn_splat_f32x16(s103);
            const gn_f32x16 v105 = gn_exp_f32x16(v104);
            const gn_f32x16 v106 = gn_sel_f32x16(m56, v105, gn_splat_f32x16(0.0f));
            const gn_f32x16 v107 = s2 ? v106 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 32, v107);
            const gn_f32x16 v108 = sv_1_1 - gn_splat_f32x16(s103);
            const gn_f32x16 v109 = gn_exp_f32x16(v108);
            const gn_f32x16 v110 = gn_sel_f32x16(m57, v109, gn_splat_f32x16(0.0f));
            const gn_f32x16 v111 = s2 ? v110 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 48, v111);
            l_a_0 = l_a_0 * gn_splat_f32x16(m_c_0);
            l_a_1 = l_a_1 * gn_splat_f32x16(m_c_1);
            const gn_f32x16 v114 = l_a_0 + v98;
            l_a_0 = gn_sel_f32x16(m54, v114, l_a_0);
            const gn_f32x16 v116 = l_a_0 + v102;
            l_a_0 = gn_sel_f32x16(m55, v116, l_a_0);
            const gn_f32x16 v118 = l_a_1 + v107;
            l_a_1 = gn_sel_f32x16(m56, v118, l_a_1);
            const gn_f32x16 v120 = l_a_1 + v111;
            l_a_1 = gn_sel_f32x16(m57, v120, l_a_1);
            GN_UNROLLED(4)
            for (int64_t eu = 0; eu < 4; eu++) {
                o[0][eu] = o[0][eu] * gn_splat_f32x16(m_c_0);
            }
            GN_UNROLLED(4)
            for (int64_t eu = 0; eu < 4; eu++) {
                o[1][eu] = o[1][eu] * gn_splat_f32x16(m_c_1);
            }
            GN_UNROLL(4)
            for (int64_t jq = 0; jq < gn_max_i64(0, gn_min_i64(2*ir + 1 - 32*j0, 32)); jq++) {
                gn_f32x16 loads_2[4];
                const float s124 = p[jq];
                GN_UNROLLED(4)
                for (int64_t eu = 0; eu < 4; eu++) {
                    const gn_f32x16 v125 = gn_load_f32x16(V + 64*T*h + 16*eu + 2048*j0 + 64*jq);
                    loads_2[eu] = v125;
                    o[0][eu] = gn_fma_f32x16(gn_splat_f32x16(s124), v125, o[0][eu]);
                }
                const float s127 = p[jq + 32];
                GN_UNROLLED(4)
                for (int64_t eu = 0; eu < 4; eu++) {
                    o[1][eu] = gn_fma_f32x16(gn_splat_f32x16(s127), loads_2[eu], o[1][eu]);
                }
            }
            GN_UNROLL(4)
            for (int64_t jq = gn_max_i64(0, gn_min_i64(2*ir + 1 - 32*j0, 32)); jq < gn_min_i64(gn_min_i64(T - 1, 2*ir + 1) + 1 - 32*j0, 32); jq++) {
                const float s129 = p[jq];
                const _Bool s130 = 32*j0 + jq < gn_min_i64(T - 1, 2*ir) + 1;
                GN_UNROLLED(4)
                for (int64_t eu = 0; eu < 4; eu++) {
                    const gn_f32x16 v131 = gn_load_f32x16(V + 64*T*h + 16*eu + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir, 32*j0 + jq))));
                    const gn_f32x16 v132 = gn_fma_f32x16(gn_splat_f32x16(s129), v131, o[0][eu]);
                    o[0][eu] = s130 ? v132 : o[0][eu];
                }
                const float s134 = p[jq + 32];
                const _Bool s135 = 32*j0 + jq < gn_min_i64(T - 1, 2*ir + 1) + 1;
                GN_UNROLLED(4)
                for (int64_t eu = 0; eu < 4; eu++) {
                    const gn_f32x16 v136 = gn_load_f32x16(V + 64*T*h + 16*eu + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir + 1, 32*j0 + jq))));
                    const gn_f32x16 v137 = gn_fma_f32x16(gn_splat_f32x16(s134), v136, o[1][eu]);
                    o[1][eu] = s135 ? v137 : o[1][eu];
                }
            }
        }
        l_0 = gn_hsum_f32x16(l_a_0);
        l_1 = gn_hsum_f32x16(l_a_1);
        const gn_f32x16 v141 = o[0][0] / gn_splat_f32x16(l_0);
        const gn_f32x16 v142 = o[0][1] / gn_splat_f32x16(l_0);
        const gn_f32x16 v143 = o[0][2] / gn_splat_f32x16(l_0);
        const gn_f32x16 v144 = o[0][3] / gn_splat_f32x16(l_0);
        if (2*ir < T) {
            gn_store_f32x16(O + 64*T*h + 128*ir, v141);
            gn_store_f32x16(O + 64*T*h + 128*ir + 16, v142);
            gn_store_f32x16(O + 64*T*h + 128*ir + 32, v143);
            gn_store_f32x16(O + 64*T*h + 128*ir + 48, v144);
        }
        const gn_f32x16 v145 = o[1][0] / gn_splat_f32x16(l_1);
        const gn_f32x16 v146 = o[1][1] / gn_splat_f32x16(l_1);
        const gn_f32x16 v147 = o[1][2] / gn_splat_f32x16(l_1);
        const gn_f32x16 v148 = o[1][3] / gn_splat_f32x16(l_1);
        if (2*ir + 1 < T) {
            gn_store_f32x16(O + 64*T*h + 128*ir + 64, v145);
            gn_store_f32x16(O + 64*T*h + 128*ir + 80, v146);
            gn_store_f32x16(O + 64*T*h + 128*ir + 96, v147);
            gn_store_f32x16(O + 64*T*h + 128*ir + 112, v148);
        }
    }
}
